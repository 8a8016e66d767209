use super::*;
use crate::adapters::clock::SystemClock;
use jiff::{SignedDuration, ToSpan};

fn entry(i: usize) -> AgendaEntry {
    AgendaEntry::Item(format!("item-{i}").parse().unwrap())
}

async fn agenda() -> (Agenda, mpsc::UnboundedReceiver<Wake>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Agenda::start(Arc::new(SystemClock), sender).await.unwrap(), receiver)
}

#[tokio::test]
async fn a_deadline_wakes_and_not_before_its_time() {
    let (mut agenda, mut wakes) = agenda().await;
    let deadline = Timestamp::now() + SignedDuration::from_millis(1200);
    agenda.set([(entry(0), Some(deadline))]);
    assert_eq!(wakes.recv().await, Some(Wake::Due(entry(0))));
    assert!(Timestamp::now() >= deadline);
}

#[tokio::test]
async fn an_earlier_deadline_is_noticed_while_it_waits() {
    let (mut agenda, mut wakes) = agenda().await;
    agenda.set([(entry(0), Some(Timestamp::now() + 1.hour()))]);
    agenda.set([(entry(0), Some(Timestamp::now()))]);
    assert_eq!(wakes.recv().await, Some(Wake::Due(entry(0))));
}

#[tokio::test]
async fn more_than_are_handed_over_at_once_are_all_delivered() {
    const DUE: usize = MAX_DUE_AT_ONCE * 5;
    let (mut agenda, mut wakes) = agenda().await;
    let now = Timestamp::now();
    agenda.set((0..DUE).map(|i| (entry(i), Some(now))));
    let mut due = BTreeSet::new();
    while due.len() < DUE {
        // The daemon moves a deadline once it has looked at it.
        if let Some(Wake::Due(entry)) = wakes.recv().await {
            agenda.set([(entry.clone(), None)]);
            due.insert(entry);
        }
    }
}

#[tokio::test]
async fn entries_come_and_go_while_it_waits() {
    let (mut agenda, mut wakes) = agenda().await;
    agenda.set([(entry(0), Some(Timestamp::now() + 1.hour()))]);
    agenda.remove(&entry(0));
    assert_eq!(agenda.shared.queue().jobs.len(), 0);
    agenda.set([(entry(1), Some(Timestamp::now()))]);
    assert_eq!(wakes.recv().await, Some(Wake::Due(entry(1))));
    agenda.shut_down().await;
}
