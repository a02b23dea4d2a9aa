//! A repository in a bucket or container.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use model::Clock;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    BackoffConfig, ClientOptions, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result as StoreResult, RetryConfig,
};

use super::line::{Access, Straight};
use super::object_lock::{ObjectLock, ObjectLockRule};
use super::s3_request::Requests;
use super::{Bucket, Cloud, StoreCredential};
use crate::{Error, Result};

/// A pack on a slow line takes minutes; a dead connection is found sooner by the time without a byte.
pub(super) const WHOLE_REQUEST: Duration = Duration::from_mins(10);
pub(super) const SILENCE: Duration = Duration::from_mins(1);
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// Signatures and tokens outlive no more than this.
const RETRY_FOR: Duration = Duration::from_mins(4);
const RETRIES: usize = 8;

/// Shows its address, and gives each write and removal to the object lock if there is one.
pub(super) struct Remote {
    inner: PrefixStore<Arc<dyn ObjectStore>>,
    address: String,
    lock: Option<ObjectLock>,
}

pub(super) fn open(bucket: &Bucket, access: &Access<'_>) -> Result<Remote> {
    let inner: Arc<dyn ObjectStore> = match bucket.cloud {
        Cloud::S3 => Arc::new(s3(bucket, access)?),
        Cloud::Azure => azure(bucket, access)?,
        Cloud::Google => google(bucket, access)?,
    };
    Ok(Remote::new(bucket, inner, None))
}

pub(super) fn open_locked(
    bucket: &Bucket,
    access: &Access<'_>,
    rule: ObjectLockRule,
    clock: Arc<dyn Clock>,
) -> Result<(Remote, ObjectLock)> {
    let s3 = s3(bucket, access)?;
    let line = Straight::new(bucket, access.names.as_ref());
    let requests = Requests::new(bucket, Arc::clone(s3.credentials()), &line)?;
    let lock = ObjectLock::new(bucket, requests, rule, clock);
    Ok((Remote::new(bucket, Arc::new(s3), Some(lock.clone())), lock))
}

impl Remote {
    fn new(bucket: &Bucket, inner: Arc<dyn ObjectStore>, lock: Option<ObjectLock>) -> Self {
        Self {
            inner: PrefixStore::new(inner, bucket.prefix.as_str()),
            address: bucket.to_string(),
            lock,
        }
    }
}

pub(super) fn client_options(bucket: &Bucket) -> ClientOptions {
    let clear = bucket
        .endpoint
        .as_ref()
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new()
        .with_timeout(WHOLE_REQUEST)
        .with_read_timeout(SILENCE)
        .with_connect_timeout(CONNECT)
        .with_allow_http(clear)
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        retry_timeout: RETRY_FOR,
    }
}

fn refused(bucket: &Bucket) -> impl FnOnce(object_store::Error) -> Error {
    let place = bucket.to_string();
    move |error| Error::storage(format_args!("open {place}"), error)
}

fn mismatch(bucket: &Bucket) -> Error {
    Error::StoreCredential(match bucket.cloud {
        Cloud::S3 => "this one is not for S3",
        Cloud::Azure => "this one is not for Azure",
        Cloud::Google => "this one is not for Google Cloud",
    })
}

fn s3(bucket: &Bucket, access: &Access<'_>) -> Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(region(bucket))
        .with_virtual_hosted_style_request(bucket.virtual_host)
        .with_client_options(client_options(bucket))
        .with_http_connector(Straight::new(bucket, access.names.as_ref()))
        .with_retry(retry())
        // A bucket with a default retention refuses uploads without one.
        .with_checksum_algorithm(Checksum::SHA256)
        // Files are removed one by one, and not every server knows how to remove many.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder = match access.credential {
        StoreCredential::Machine => builder,
        StoreCredential::S3Key {
            id,
            secret,
            session_token,
        } => {
            let builder = builder
                .with_access_key_id(id)
                .with_secret_access_key(secret.expose());
            match session_token {
                Some(token) => builder.with_token(token.expose()),
                None => builder,
            }
        }
        StoreCredential::S3WebIdentity { role, token_file } => builder
            .with_config(AmazonS3ConfigKey::RoleArn, role)
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token_file),
        _ => return Err(mismatch(bucket)),
    };
    builder.build().map_err(refused(bucket))
}

pub(super) fn region(bucket: &Bucket) -> &str {
    bucket.region.as_deref().unwrap_or("us-east-1")
}

fn azure(bucket: &Bucket, access: &Access<'_>) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&bucket.account)
        .with_container_name(&bucket.name)
        .with_client_options(client_options(bucket))
        .with_http_connector(Straight::new(bucket, access.names.as_ref()))
        .with_retry(retry());
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    builder = match access.credential {
        StoreCredential::Machine => builder,
        StoreCredential::AzureKey(key) => builder.with_access_key(key.expose()),
        StoreCredential::AzureSignature(signature) => builder.with_config(
            AzureConfigKey::SasKey,
            signature.expose().trim_start_matches('?'),
        ),
        StoreCredential::AzureApp {
            tenant,
            client_id,
            secret,
        } => builder.with_client_secret_authorization(client_id, secret.expose(), tenant),
        StoreCredential::AzureManaged { client_id } => builder.with_client_id(client_id),
        StoreCredential::AzureWorkload {
            tenant,
            client_id,
            token_file,
        } => builder
            .with_tenant_id(tenant)
            .with_client_id(client_id)
            .with_federated_token_file(token_file),
        _ => return Err(mismatch(bucket)),
    };
    Ok(Arc::new(builder.build().map_err(refused(bucket))?))
}

fn google(bucket: &Bucket, access: &Access<'_>) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&bucket.name)
        .with_client_options(client_options(bucket))
        .with_http_connector(Straight::new(bucket, access.names.as_ref()))
        .with_retry(retry());
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    builder = match access.credential {
        StoreCredential::Machine => builder,
        StoreCredential::GoogleKey(key) => builder.with_service_account_key(key.expose()),
        _ => return Err(mismatch(bucket)),
    };
    Ok(Arc::new(builder.build().map_err(refused(bucket))?))
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.address).finish()
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[async_trait]
impl ObjectStore for Remote {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        match &self.lock {
            Some(lock) if ObjectLock::protects(at) => lock.put(at, payload, &options).await,
            _ => self.inner.put_opts(at, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        if self.lock.is_some() {
            return Err(object_store::Error::NotImplemented {
                operation: "a multipart upload under an object lock".to_owned(),
                implementer: self.address.clone(),
            });
        }
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let Some(lock) = self.lock.clone() else {
            return self.inner.delete_stream(locations);
        };
        let inner = self.inner.clone();
        let remove = move |at: StoreResult<Path>| {
            let (lock, inner) = (lock.clone(), inner.clone());
            async move {
                let at = at?;
                if ObjectLock::guards_removal(&at) {
                    lock.remove(&at).await?;
                } else {
                    object_store::ObjectStoreExt::delete(&inner, &at).await?;
                }
                Ok(at)
            }
        };
        locations.then(remove).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
