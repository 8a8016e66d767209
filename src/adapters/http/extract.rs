//! Extractors that refuse with problem details: unknown or repeated parameters, bad UTF-8, bad JSON, bad ids.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::respond::Refused;
use super::{MAX_BODY_BYTES, MAX_KEY_BYTES};
use crate::protocol::NoParameters;

/// The query parameters of a request.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(Refused::bad("the query is not UTF-8"));
        }
        serde_urlencoded::from_str(query)
            .map(Self)
            .map_err(|error| Refused::bad(in_terms_of_parameters(&error)))
    }
}

/// Says what serde calls a field as people who write a query do.
fn in_terms_of_parameters(error: &impl Display) -> String {
    let error = error.to_string();
    error.replace("unknown field", "unknown parameter").replace("duplicate field", "repeated parameter")
}

/// The id in the path of a request.
pub(super) struct PathId<T>(pub(super) T);

impl<T: FromStr<Err: Display>, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Refused::bad(error.body_text()))?;
        id.parse().map(Self).map_err(|error: T::Err| Refused::bad(error.to_string()))
    }
}

/// The idempotency key of a request.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            let is_none = !parts.headers.contains_key("idempotency-key");
            return if is_none { Ok(Self(None)) } else { Err(Refused::bad("give one idempotency key")) };
        };
        let text = value.to_str().unwrap_or_default();
        if text.is_empty() || text.len() > MAX_KEY_BYTES || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refused::bad(format!(
                "an idempotency key has 1 to {MAX_KEY_BYTES} visible ASCII characters"
            )));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

/// The body of a request: a JSON object; an empty body is one without members.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: Default + DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await;
        read(&bytes.map_err(|error| Refused::bad(error.to_string()))?).map(Self)
    }
}

/// What records something: no parameters, an idempotency key and a body.
pub(super) struct Posted<B> {
    pub(super) key: Option<String>,
    pub(super) body: B,
}

impl<B: Default + DeserializeOwned, S: Send + Sync> FromRequest<S> for Posted<B> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let (mut parts, body) = request.into_parts();
        Parameters::<NoParameters>::from_request_parts(&mut parts, state).await?;
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(&mut parts, state).await?;
        let JsonBody(body) = JsonBody::from_request(Request::from_parts(parts, body), state).await?;
        Ok(Self { key, body })
    }
}

fn read<T: Default + DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let refused =
        |why: &dyn Display| Refused::bad(format!("the body is not a JSON object as expected: {why}"));
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Ok(T::default()),
        // serde would read an array as the members of an object, in order.
        Some(b'{') => serde_json::from_slice(bytes)
            .map_err(|error| refused(&error.to_string().replace("field", "member"))),
        Some(_) => Err(refused(&"it does not begin with `{`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{NoBody, TakeBody};

    #[test]
    fn bodies_are_objects_with_known_members() {
        assert!(read::<TakeBody>(b"").is_ok());
        assert!(read::<TakeBody>(b" {\"amount\":\"5 mg\"} ").is_ok());
        for (body, error) in [
            (&b"[]"[..], "does not begin"),
            (b"7", "does not begin"),
            (b"{\"amont\":\"5 mg\"}", "unknown member `amont`"),
            (b"{\"note\":\"a\",\"note\":\"b\"}", "duplicate member `note`"),
            (b"{\"note\":7}", "invalid type"),
            (b"{\"note\":\"\xff\"}", "unicode"),
            (b"{} {}", "trailing"),
        ] {
            let refused = read::<TakeBody>(body).unwrap_err();
            assert!(format!("{refused:?}").contains(error), "{refused:?}");
        }
        assert!(read::<NoBody>(b"[]").is_err());
    }
}
