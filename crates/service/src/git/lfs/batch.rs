//! The batch API: where to get or put up to 100 objects.

use std::collections::BTreeMap;

use model::Class;
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::super::Remote;
use super::Pointer;
use crate::http::Call;
use crate::{Error, Result};

const MOST_OBJECTS: usize = 100;
const CONTENT_TYPE: &str = "application/vnd.git-lfs+json";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    Download,
    Upload,
}

#[derive(Serialize)]
struct Request<'a> {
    operation: Operation,
    transfers: [&'static str; 1],
    objects: Vec<Wanted<'a>>,
    hash_algo: &'static str,
}

#[derive(Serialize)]
pub(super) struct Wanted<'a> {
    pub(super) oid: &'a str,
    pub(super) size: u64,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    transfer: Option<String>,
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    #[serde(default)]
    actions: Option<Actions>,
    #[serde(default)]
    error: Option<ObjectError>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Actions {
    pub(crate) download: Option<Action>,
    pub(crate) upload: Option<Action>,
    pub(crate) verify: Option<Action>,
}

#[derive(Deserialize)]
pub(crate) struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ObjectError {
    code: u16,
    #[serde(default)]
    message: String,
}

/// What the server says about each object that was asked for, in their order.
pub(crate) async fn ask<'a>(
    remote: &Remote,
    operation: Operation,
    pointers: &'a [Pointer],
) -> Result<Vec<(&'a Pointer, Result<Actions>)>> {
    let mut all = Vec::with_capacity(pointers.len());
    for chunk in pointers.chunks(MOST_OBJECTS) {
        let mut told = one(remote, operation, chunk).await?;
        for pointer in chunk {
            let answer = told.remove(&pointer.oid).unwrap_or_else(|| {
                Err(refused(
                    &pointer.oid,
                    404,
                    "it is not in the server's answer",
                ))
            });
            all.push((pointer, answer));
        }
    }
    Ok(all)
}

async fn one(
    remote: &Remote,
    operation: Operation,
    pointers: &[Pointer],
) -> Result<BTreeMap<String, Result<Actions>>> {
    let objects = pointers
        .iter()
        .map(|pointer| Wanted {
            oid: &pointer.oid,
            size: pointer.size,
        })
        .collect();
    let request = Request {
        operation,
        transfers: ["basic"],
        objects,
        hash_algo: "sha256",
    };
    let call = remote.client.call(
        Method::POST,
        remote.host,
        &format!("{}/objects/batch", remote.lfs_path()),
    );
    // Asking changes nothing, not even for an upload.
    let answer = json(call, &request)?.safe().expect(&[200]).send().await?;
    let response: Response = answer.json()?;
    if response
        .transfer
        .as_deref()
        .is_some_and(|transfer| transfer != "basic")
    {
        return Err(Error::malformed(
            "the LFS server answered with a way of transfer that was not offered",
        ));
    }
    let told = |object: Object| {
        let answer = match object.error {
            Some(error) => Err(refused(&object.oid, error.code, &error.message)),
            None => Ok(object.actions.unwrap_or_default()),
        };
        (object.oid, answer)
    };
    Ok(response.objects.into_iter().map(told).collect())
}

pub(super) fn json<'a>(call: Call<'a>, body: &impl Serialize) -> Result<Call<'a>> {
    let body = serde_json::to_vec(body).map_err(|error| {
        Error::malformed("a request to the LFS server cannot be written").caused_by(error)
    })?;
    Ok(call.body(CONTENT_TYPE, body).accept(CONTENT_TYPE))
}

/// An object that is not there, or that the server does not give.
pub(super) fn refused(oid: &str, status: u16, why: &str) -> Error {
    let class = if matches!(status, 404 | 410) {
        Class::Missing
    } else {
        Class::Malformed
    };
    let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
    Error::new(
        class,
        "lfs-object-missing",
        format!("LFS object {oid}: the server answered {status} {why}"),
    )
    .with_status(status)
}

impl Action {
    /// The request that the server asks for. Our credential goes along to our own hosts alone, and not where the server gave another.
    pub(super) fn call<'a>(&self, remote: &'a Remote, method: Method) -> Result<Call<'a>> {
        let url = Url::parse(&self.href).map_err(|error| {
            Error::malformed(format!(
                "the LFS server names an address that is none: {error}"
            ))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::malformed(format!(
                "the LFS server names an address with `{}:`",
                url.scheme()
            )));
        }
        let label = format!(
            "{method} {}{}",
            url.host_str().unwrap_or_default(),
            url.path()
        );
        let mut call = Call::new(&remote.client, method, Ok(url), label);
        for (name, value) in &self.header {
            // The transport sets these itself.
            if !["content-length", "host", "transfer-encoding", "connection"]
                .contains(&name.to_ascii_lowercase().as_str())
            {
                call = call.header(name, value);
            }
        }
        Ok(call)
    }
}
