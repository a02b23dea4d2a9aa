//! A store of large files: the batch API on the host, contents on the host or at a foreign address.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Inner;

#[derive(Default)]
pub(crate) struct Objects {
    pub(crate) contents: BTreeMap<String, Vec<u8>>,
    /// Where contents are given out instead of this host; they must not see the credential.
    pub(crate) foreign: Option<String>,
    pub(crate) verified: Vec<String>,
    /// `Authorization` headers that arrived at the foreign place.
    pub(crate) leaked: Vec<String>,
}

impl Objects {
    pub(crate) fn add(&mut self, content: &[u8]) -> String {
        let oid = hex::encode(Sha256::digest(content));
        self.contents.insert(oid.clone(), content.to_vec());
        oid
    }
}

pub(crate) fn pointer(content: &[u8]) -> Vec<u8> {
    format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        hex::encode(Sha256::digest(content)),
        content.len()
    )
    .into_bytes()
}

pub(crate) fn answer(
    inner: &Inner,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Response> {
    let mut lfs = inner.lfs.lock().unwrap();
    if path.ends_with("/info/lfs/objects/batch") {
        let host = headers.get(header::HOST).unwrap().to_str().unwrap();
        return Some(batch(
            &lfs,
            &format!("http://{host}"),
            &serde_json::from_slice(body).unwrap(),
        ));
    }
    let (place, oid) = path.strip_prefix('/')?.split_once("/lfs-store/")?;
    if place == "foreign" {
        lfs.leaked.extend(
            headers
                .get(header::AUTHORIZATION)
                .map(|value| value.to_str().unwrap().to_owned()),
        );
    }
    Some(match *method {
        Method::GET => match lfs.contents.get(oid) {
            Some(content) => (
                [(header::CONTENT_TYPE, "application/octet-stream")],
                content.clone(),
            )
                .into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::PUT => {
            let given = lfs.add(body);
            if given == oid {
                StatusCode::OK.into_response()
            } else {
                StatusCode::BAD_REQUEST.into_response()
            }
        }
        _ => {
            let wanted: Value = serde_json::from_slice(body).unwrap();
            let known = lfs
                .contents
                .get(oid)
                .is_some_and(|content| json!(content.len()) == wanted["size"]);
            lfs.verified.push(oid.to_owned());
            if known {
                StatusCode::OK.into_response()
            } else {
                StatusCode::NOT_FOUND.into_response()
            }
        }
    })
}

fn batch(lfs: &Objects, origin: &str, request: &Value) -> Response {
    let objects = request["objects"].as_array().unwrap();
    assert!(objects.len() <= 100, "a batch of {}", objects.len());
    let one = |object: &Value| {
        let oid = object["oid"].as_str().unwrap();
        let action = |place: &str| json!({"href": format!("{place}/lfs-store/{oid}"), "header": {"X-Asked": "yes"}});
        match (
            request["operation"].as_str().unwrap(),
            lfs.contents.contains_key(oid),
        ) {
            ("download", true) => {
                let place = lfs
                    .foreign
                    .clone()
                    .unwrap_or_else(|| format!("{origin}/org"));
                json!({"oid": oid, "size": object["size"], "actions": {"download": action(&place)}})
            }
            ("download", false) => {
                json!({"oid": oid, "size": object["size"], "error": {"code": 404, "message": "Object does not exist"}})
            }
            (_, true) => json!({"oid": oid, "size": object["size"]}),
            (_, false) => {
                json!({"oid": oid, "size": object["size"], "actions": {"upload": action(&format!("{origin}/org")), "verify": action(&format!("{origin}/org"))}})
            }
        }
    };
    let answer =
        json!({"transfer": "basic", "objects": objects.iter().map(one).collect::<Vec<_>>()});
    (
        [(header::CONTENT_TYPE, "application/vnd.git-lfs+json")],
        answer.to_string(),
    )
        .into_response()
}
