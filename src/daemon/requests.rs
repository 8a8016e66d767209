//! Requests that wait for the core's decision, each with the way back for its response.

use std::collections::HashMap;

use crate::adapters::http::ChangeReply;
use crate::core::reminder::RequestId;

/// Requests whose response is not sent yet. Ids are used once, so a response cannot reach another request.
#[derive(Debug, Default)]
pub(super) struct PendingRequests {
    last: u64,
    replies: HashMap<RequestId, ChangeReply>,
}

impl PendingRequests {
    /// Returns an id that no request has had.
    pub(super) fn next_id(&mut self) -> RequestId {
        self.last += 1;
        RequestId(self.last)
    }

    pub(super) fn insert(&mut self, request: RequestId, reply: ChangeReply) {
        self.replies.insert(request, reply);
    }

    /// Returns the way back for a response, once.
    pub(super) fn take(&mut self, request: RequestId) -> Option<ChangeReply> {
        self.replies.remove(&request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_sent_once_and_to_its_own_request() {
        let mut requests = PendingRequests::default();
        let (first, second) = (requests.next_id(), requests.next_id());
        assert_ne!(first, second);
        requests.insert(first, tokio::sync::oneshot::channel().0);
        assert!(requests.take(second).is_none());
        assert!(requests.take(first).is_some() && requests.take(first).is_none());
        assert!(![first, second].contains(&requests.next_id()));
    }
}
