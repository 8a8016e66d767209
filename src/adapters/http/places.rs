//! The places of connections: how many there can be, which one makes room for another, and how much of long responses
//! may wait to be read.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use super::respond::Refused;
use super::{LONG_TIMEOUT, MAX_CONNECTIONS, MAX_LONG, MAX_UNREAD_KIB};

/// One connection, as its task and the task that accepts connections see it.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Requests whose response is not written.
    requests: AtomicUsize,
    /// Whether it takes no place any more: it has ended, or is a stream, which have places of their own.
    is_free: AtomicBool,
    changed: Arc<Notify>,
}

impl Place {
    /// Gives the place back.
    pub(super) fn free(&self) {
        self.is_free.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Begins a request; it ends when what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> RequestGuard {
        self.requests.fetch_add(1, Ordering::Relaxed);
        RequestGuard(self.clone())
    }
}

/// A request whose response is not written yet.
#[derive(Debug)]
pub(super) struct RequestGuard(Arc<Place>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// Gives the place of a connection back when its task ends, however.
pub(super) struct PlaceGuard(pub(super) Arc<Place>);

impl Drop for PlaceGuard {
    fn drop(&mut self) {
        self.0.free();
    }
}

/// The connections that take a place, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Vec<(Arc<Place>, AbortHandle)>,
    changed: Arc<Notify>,
}

impl Places {
    pub(super) fn new_place(&self) -> Arc<Place> {
        Arc::new(Place { changed: self.changed.clone(), ..Place::default() })
    }

    pub(super) fn add(&mut self, place: Arc<Place>, task: AbortHandle) {
        self.taken.push((place, task));
    }

    /// Waits until there is room for one more; where every place is taken, the oldest connection that has asked nothing, or
    /// has its response, is closed.
    pub(super) async fn make_room(&mut self) {
        loop {
            self.taken.retain(|(place, _)| !place.is_free.load(Ordering::Relaxed));
            if self.taken.len() < MAX_CONNECTIONS || self.close_idle(1).await {
                return;
            }
            self.changed.notified().await;
        }
    }

    /// Closes the oldest connections that wait for no response, so many at most; tells whether there was one.
    pub(super) async fn close_idle(&mut self, most: usize) -> bool {
        // Who has just asked is not idle.
        tokio::task::yield_now().await;
        let is_idle = |(place, _): &mut (Arc<Place>, _)| place.requests.load(Ordering::Relaxed) == 0;
        let idle = self.taken.extract_if(.., is_idle).take(most);
        idle.inspect(|(_, task)| task.abort()).count() > 0
    }
}

/// A body that keeps something until the last of it is written.
struct HeldBody<G> {
    body: Body,
    guard: Arc<G>,
}

/// Keeps something until a response is written.
pub(super) fn hold<G: Send + Sync + 'static>(response: Response, guard: G) -> Response {
    response.map(|body| Body::new(HeldBody { body, guard: Arc::new(guard) }))
}

/// Bytes that are being written.
struct HeldBytes<G> {
    bytes: Bytes,
    _guard: Arc<G>,
}

impl<G> AsRef<[u8]> for HeldBytes<G> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<G: Send + Sync + 'static> HttpBody for HeldBody<G> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let hold = |bytes| Bytes::from_owner(HeldBytes { bytes, _guard: self.guard.clone() });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(hold))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

/// The routes whose responses can be long.
const LONG_ROUTES: [&str; 6] =
    ["/v1/facts", "/v1/occurrences", "/v1/adherence", "/v1/insight", "/v1/check-ins", "/v1/scans"];

/// The bounds of long responses.
#[derive(Debug)]
pub(super) struct LongResponses {
    /// The turns to make one.
    turns: Semaphore,
    /// The memory of those that are not read, in KiB.
    unread: Arc<Semaphore>,
}

impl LongResponses {
    pub(super) fn new() -> Self {
        Self { turns: Semaphore::new(MAX_LONG), unread: Arc::new(Semaphore::new(MAX_UNREAD_KIB as usize)) }
    }
}

/// Makes few long responses at a time, and none while too much of others waits to be read.
pub(super) async fn bound_long(
    State(long): State<Arc<LongResponses>>,
    request: Request,
    next: Next,
) -> Response {
    if !LONG_ROUTES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let busy = || Refused::new(503, "too many long responses wait to be read: try again").into_response();
    let Ok(Ok(_turn)) = tokio::time::timeout(LONG_TIMEOUT, long.turns.acquire()).await else {
        return busy();
    };
    let response = next.run(request).await;
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(MAX_UNREAD_KIB);
    match tokio::time::timeout(LONG_TIMEOUT, long.unread.clone().acquire_many_owned(kib)).await {
        Ok(Ok(room)) => hold(response, room),
        _ => busy(),
    }
}
