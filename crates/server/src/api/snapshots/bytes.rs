//! Stored bytes as an answer: they are foreign, and nothing in them may run where the console does.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use control::browse::OpenSnapshot;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use model::is_unseen;
use repository::{Node, Repository};
use std::collections::BTreeMap;
use std::ops::Range;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use utoipa::openapi::{self, Content, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema as _};

use super::kinds::{KEPT_AS, Shown, shown, shown_as};
use crate::Problem;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const INERT: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
/// What is looked at to tell text and images from other files.
const HEAD: u64 = 4096;

/// The answers of an operation that gives out stored bytes; named in its `responses(…)`.
pub(super) struct StoredBytes;

impl IntoResponses for StoredBytes {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let all = shown_as().fold(
            ResponseBuilder::new().description("The bytes."),
            |all, kind| all.content(kind, Content::new(Some(String::schema()))),
        );
        let part = ResponseBuilder::new()
            .description("A part of them.")
            .content(KEPT_AS, Content::new(Some(String::schema())));
        let beyond = ResponseBuilder::new()
            .description("The file has no such part.")
            .content(
                "application/problem+json",
                Content::new(Some(Ref::from_schema_name("Problem"))),
            );
        [("200", all), ("206", part), ("416", beyond)]
            .map(|(status, answer)| (status.to_owned(), RefOr::T(answer.build())))
            .into()
    }
}

/// Where bytes come from.
pub(super) enum Source {
    Stored(Repository, Node),
    Memory(Bytes),
    Disk(tokio::fs::File, u64),
}

/// What the bytes are called, and whether they are to be kept.
pub(super) struct Named<'a> {
    /// The path of the file.
    pub(super) path: &'a str,
    /// A download under this name; under its own when it is empty.
    pub(super) download: Option<&'a str>,
}

impl Source {
    pub(super) fn stored(snapshot: &OpenSnapshot, node: Node) -> Self {
        Self::Stored(snapshot.repository().clone(), node)
    }

    fn size(&self) -> u64 {
        match self {
            Self::Stored(_, node) => node.size,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(_, size) => *size,
        }
    }

    async fn head(&mut self) -> Result<Bytes, Problem> {
        match self {
            Self::Stored(repository, node) => Ok(repository.read_range(node, 0..HEAD).await?),
            Self::Memory(bytes) => Ok(bytes.slice(..bytes.len().min(HEAD as usize))),
            Self::Disk(file, _) => {
                let mut head = Vec::new();
                let read = (&mut *file).take(HEAD).read_to_end(&mut head).await;
                read.map_err(|error| unreadable(&error))?;
                Ok(head.into())
            }
        }
    }

    /// The first piece is read before anything is answered: what is damaged there is a problem, not a broken connection.
    async fn body(self, range: Range<u64>) -> Result<Body, Problem> {
        match self {
            Self::Stored(repository, node) => {
                let mut pieces = repository.stream_range(&node, range).await?.boxed();
                let first = pieces.try_next().await?;
                Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(pieces)))
            }
            Self::Memory(bytes) => Ok(bytes.slice(range.start as usize..range.end as usize).into()),
            Self::Disk(mut file, _) => {
                let found = file.seek(std::io::SeekFrom::Start(range.start)).await;
                found.map_err(|error| unreadable(&error))?;
                let part = file.take(range.end - range.start);
                Ok(Body::from_stream(ReaderStream::new(part)))
            }
        }
    }

    /// The whole, or the part that the request asks for.
    pub(super) async fn answer(
        mut self,
        request: &HeaderMap,
        named: &Named<'_>,
    ) -> Result<Response, Problem> {
        let size = self.size();
        let (range, part) = match wanted(request, size) {
            Wanted::All => (0..size, false),
            Wanted::Part(range) => (range, true),
            Wanted::None => return Ok(beyond(size)),
        };
        let (content_type, shown) = shown(&self.head().await?);
        let download = named.download.is_some() || shown == Shown::Kept;
        let mut headers = HeaderMap::new();
        if part {
            let (from, to) = (range.start, range.end.saturating_sub(1));
            put(
                &mut headers,
                header::CONTENT_RANGE,
                &format!("bytes {from}-{to}/{size}"),
            );
        }
        put(
            &mut headers,
            header::CONTENT_LENGTH,
            &(range.end - range.start).to_string(),
        );
        put(&mut headers, header::CONTENT_TYPE, content_type);
        put(
            &mut headers,
            header::CONTENT_DISPOSITION,
            &disposition(download, named),
        );
        put(&mut headers, header::CONTENT_SECURITY_POLICY, INERT);
        put(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        put(&mut headers, header::ACCEPT_RANGES, "bytes");
        put(&mut headers, RESOURCE_POLICY, "same-origin");
        let status = if part {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        };
        let body = self.body(range).await?;
        Ok((status, headers, body).into_response())
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::unavailable("storage-failed", format!("a file cannot be read: {error}"))
}

fn beyond(size: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-refused",
        format!("the file has {size} bytes"),
    );
    let mut response = problem.into_response();
    put(
        response.headers_mut(),
        header::CONTENT_RANGE,
        &format!("bytes */{size}"),
    );
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    /// A part that the file does not have.
    None,
}

/// One range at most; what is not understood is not asked for (RFC 9110, 14.2).
fn wanted(request: &HeaderMap, size: u64) -> Wanted {
    // There is nothing that `If-Range` could be compared with.
    if request.contains_key(header::IF_RANGE) {
        return Wanted::All;
    }
    let asked = request
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let asked = asked.and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = asked.and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(last)) if first.trim().is_empty() && last > 0 => {
            size.saturating_sub(last)..size
        }
        (Err(_), Ok(0)) if first.trim().is_empty() => return Wanted::None,
        _ => return Wanted::All,
    };
    if range.start >= range.end {
        return Wanted::None;
    }
    Wanted::Part(range)
}

/// RFC 6266: a name for everybody in ASCII, and the name as it is but for what would make it look like another one.
fn disposition(download: bool, named: &Named<'_>) -> String {
    let own = named.path.rsplit('/').next().unwrap_or_default();
    let name = named
        .download
        .filter(|name| !name.is_empty())
        .unwrap_or(own);
    let odd = |char: char| char.is_control() || is_unseen(char) || "/\\\":*?<>|%;".contains(char);
    let name: String = name
        .chars()
        .take(150)
        .map(|char| if odd(char) { '_' } else { char })
        .collect();
    let name = match name.trim_matches(['.', ' ']) {
        "" => "file",
        name => name,
    };
    let plain: String = name
        .chars()
        .map(|char| if char.is_ascii() { char } else { '_' })
        .collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.extend(["%", &format!("{byte:02X}")]);
        }
    }
    let how = if download { "attachment" } else { "inline" };
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        wanted(&headers, 100)
    }

    #[test]
    fn ranges_are_those_of_http() {
        assert_eq!(wanted(&HeaderMap::new(), 100), Wanted::All);
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-", 10..100),
            ("bytes=90-1000", 90..100),
            ("bytes=-5", 95..100),
            ("bytes=-500", 0..100),
            ("bytes=0-18446744073709551615", 0..100),
        ] {
            assert_eq!(asked(range), Wanted::Part(part), "{range}");
        }
        for range in ["bytes=100-", "bytes=200-300", "bytes=-0"] {
            assert_eq!(asked(range), Wanted::None, "{range}");
        }
        for range in [
            "bytes=5-1",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=x-y",
            "bytes=-",
        ] {
            assert_eq!(asked(range), Wanted::All, "{range}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let told = |download, path| {
            let named = Named { path, download };
            disposition(named.download.is_some(), &named)
        };
        assert_eq!(
            told(None, "a/b/photo.png"),
            "inline; filename=\"photo.png\"; filename*=UTF-8''photo.png"
        );
        assert_eq!(
            told(Some(""), "a/Übersicht 1.txt"),
            "attachment; filename=\"_bersicht 1.txt\"; filename*=UTF-8''%C3%9Cbersicht%201.txt"
        );
        let hostile = told(Some("x\"; filename=\"../../evil\r\nSet-Cookie: a=b"), "a");
        assert!(!hostile.contains(['\r', '\n', '/']));
        assert_eq!(hostile.matches('"').count(), 2, "{hostile}");
        assert_eq!(
            told(Some("a\u{202e}gpj.exe.png"), "a"),
            "attachment; filename=\"a_gpj.exe.png\"; filename*=UTF-8''a_gpj.exe.png"
        );
        assert!(told(Some(".."), "a").contains("filename=\"file\""));
        let long = "ü".repeat(10_000);
        assert!(HeaderValue::from_str(&told(Some(&long), "a")).is_ok());
    }
}
