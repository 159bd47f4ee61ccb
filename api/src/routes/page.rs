//! Pages of lists: size, cursor, link to the next one.

use axum::http::Uri;
use serde::Serialize;

use crate::problem::{Code, Problem};

/// Items of a page when nobody says.
const DEFAULT: usize = 50;
/// Items of a page at most.
const MOST: usize = 200;

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// The size of a page.
pub fn limit(given: Option<usize>) -> Result<usize, Problem> {
    match given {
        None => Ok(DEFAULT),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(Problem::new(
            Code::MalformedRequest,
            format!("`limit` is 1 to {MOST}"),
        )),
    }
}

/// The value of a `Link` header to the next page: the same address with another cursor.
#[must_use]
pub fn link(uri: &Uri, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let given = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query
        .extend_pairs(given.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", cursor);
    format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_the_filter_and_replaces_the_cursor() {
        let uri: Uri = "/runs?state=failed&cursor=a&limit=2".parse().unwrap();
        assert_eq!(
            link(&uri, "b-_"),
            "</runs?state=failed&limit=2&cursor=b-_>; rel=\"next\""
        );
    }

    #[test]
    fn sizes_beyond_the_limit_are_refused_and_not_cut() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(200)).unwrap(), 200);
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
