//! Requests to S3 that `object_store` has no words for: retention, versions, the configuration of the lock.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpConnector as _, HttpRequest};
use object_store::path::Path;
use object_store::{HeaderMap, HeaderValue, Result as StoreResult};
use sha2::{Digest as _, Sha256};

use super::line::Straight;
use super::remote::{client_options, region};
use super::{Bucket, Cloud};
use crate::{Error, Result};

const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Signs and sends requests to one bucket.
#[derive(Clone)]
pub(super) struct Requests {
    client: HttpClient,
    credentials: AwsCredentialProvider,
    region: String,
    /// With the bucket, without a slash at its end.
    base: String,
    prefix: String,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// S3's word for what went wrong.
    pub(super) fn reason(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let between = |tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let code = between("Code").unwrap_or_default();
        let message = between("Message").unwrap_or_default();
        format!("status {} {code} {message}", self.status)
            .trim_end()
            .to_owned()
    }
}

/// What to send.
#[derive(Clone, Default)]
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    /// `None` is the bucket itself.
    pub(super) at: Option<&'a Path>,
    /// With its question mark.
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Requests {
    pub(super) fn new(
        bucket: &Bucket,
        credentials: AwsCredentialProvider,
        line: &Straight,
    ) -> Result<Self> {
        debug_assert!(bucket.cloud == Cloud::S3);
        let client = line
            .connect(&client_options(bucket))
            .map_err(|error| Error::storage(format_args!("open {bucket}"), error))?;
        let region = region(bucket);
        let base = match (&bucket.endpoint, bucket.virtual_host) {
            (Some(endpoint), true) => endpoint.clone(),
            (Some(endpoint), false) => format!("{endpoint}/{}", bucket.name),
            (None, true) => format!("https://{}.s3.{region}.amazonaws.com", bucket.name),
            (None, false) => format!("https://s3.{region}.amazonaws.com/{}", bucket.name),
        };
        Ok(Self {
            client,
            credentials,
            region: region.to_owned(),
            base,
            prefix: bucket.prefix.clone(),
        })
    }

    /// Tried again while the server or the line fails; any other answer is for the caller to judge.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> StoreResult<Answer> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.send_once(ask).await {
                Ok(answer) if !matches!(answer.status, 429 | 500 | 502..) => return Ok(answer),
                _ => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        self.send_once(ask).await
    }

    async fn send_once(&self, ask: &Ask<'_>) -> StoreResult<Answer> {
        let url = match ask.at {
            Some(at) if self.prefix.is_empty() => format!("{}/{at}{}", self.base, ask.query),
            Some(at) => format!("{}/{}/{at}{}", self.base, self.prefix, ask.query),
            None => format!("{}{}", self.base, ask.query),
        };
        let digest = Sha256::digest(&ask.body);
        let mut request = HttpRequest::new(ask.body.clone().into());
        *request.method_mut() = ask.method.parse().map_err(failed)?;
        *request.uri_mut() = url.parse().map_err(failed)?;
        for (name, value) in &ask.headers {
            let value = HeaderValue::from_str(value).map_err(failed)?;
            request.headers_mut().insert(*name, value);
        }
        if !ask.body.is_empty() {
            let sum = base64::engine::general_purpose::STANDARD.encode(digest);
            let value = HeaderValue::from_str(&sum).map_err(failed)?;
            request.headers_mut().insert("x-amz-checksum-sha256", value);
            // Asked for where a retention is set.
            let name = HeaderValue::from_static("SHA256");
            request
                .headers_mut()
                .insert("x-amz-sdk-checksum-algorithm", name);
        }
        let credential = Arc::clone(&self.credentials).get_credential().await?;
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .try_authorize(&mut request, Some(&digest))?;
        let response = self.client.execute(request).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.bytes().await.map_err(failed)?,
        })
    }
}

pub(super) fn failed(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> object_store::Error {
    object_store::Error::Generic {
        store: "S3",
        source: source.into(),
    }
}
