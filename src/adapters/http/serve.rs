//! Accepts connections, checks whose they are, and serves them within limits.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use super::places::{Place, PlaceGuard, Places, hold};
use super::routes::router;
use super::{ACCEPT_PAUSE, Api, HEAD_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES, WRITE_TIMEOUT};

/// Tells whether a peer may ask: only the user that dosed runs as.
#[must_use]
pub fn is_allowed(peer_user: u32, own_user: u32) -> bool {
    peer_user == own_user
}

/// Serves the socket until the task is dropped.
pub async fn serve(listener: UnixListener, api: Api) {
    let router = router(api);
    let own_user = rustix::process::geteuid().as_raw();
    let mut places = Places::default();
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    let mut is_failing = false;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely, for who knows how long.
                if !is_failing {
                    warn!(%error, "a connection could not be accepted; dosed tries again each second");
                }
                is_failing = true;
                places.close_idle(MAX_CONNECTIONS).await;
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        is_failing = false;
        while connections.try_join_next().is_some() {}
        if !stream.peer_cred().is_ok_and(|peer| is_allowed(peer.uid(), own_user)) {
            warn!("a connection of another user was refused");
            continue;
        }
        places.make_room().await;
        let place = places.new_place();
        let served = serve_connection(stream, router.clone(), place.clone());
        places.add(place, connections.spawn(served));
    }
}

async fn serve_connection(stream: UnixStream, router: Router, place: Arc<Place>) {
    let _place = PlaceGuard(place.clone());
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let guard = place.begin();
        request.extensions_mut().insert(place.clone());
        let response = router.call(request);
        async move {
            let Ok(response) = response.await;
            Ok::<_, Infallible>(hold(response, guard))
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(Box::pin(TokioIo::new(stream)), service)
        .await;
    if let Err(error) = served {
        debug!(%error, "a connection ended early");
    }
}
