//! The peer: tokio-cron-scheduler as it comes. Each line of the input is a cron pattern in UTC with
//! seconds, a tab and what is then shown with notify-send.

use std::io::BufRead;
use tokio_cron_scheduler::{Job, JobScheduler};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scheduler = JobScheduler::new().await?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (pattern, text) = line.split_once('\t').ok_or("a line without a tab")?;
        let text = text.to_owned();
        let job = Job::new_async(pattern, move |_, _| {
            let text = text.clone();
            Box::pin(async move {
                // Who shows it tells how it went: what is missing is counted there.
                let _ = tokio::process::Command::new("notify-send").arg(text).status().await;
            })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;
    std::io::Write::write_all(&mut std::io::stdout(), b"ready\n")?;
    std::future::pending().await
}
