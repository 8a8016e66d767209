//! Accepts connections, checks whose they are, and serves them within limits.

use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::routes::router;
use super::{Api, HEAD_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES};

/// Tells whether a peer may ask: only the user that dosed runs as.
#[must_use]
pub fn is_allowed(peer_user: u32, own_user: u32) -> bool {
    peer_user == own_user
}

/// Serves the socket until the task is dropped.
pub async fn serve(listener: UnixListener, api: Api) {
    let router = router(api);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let own_user = rustix::process::geteuid().as_raw();
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: a connection has to end first.
                warn!(%error, "a connection could not be accepted");
                let _ = connections.join_next().await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        if !stream.peer_cred().is_ok_and(|peer| is_allowed(peer.uid(), own_user)) {
            warn!("a connection of another user was refused");
            continue;
        }
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let _place = place;
            serve_connection(stream, service).await;
        });
    }
}

async fn serve_connection(stream: UnixStream, service: TowerToHyperService<axum::Router>) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(%error, "a connection ended early");
    }
}
