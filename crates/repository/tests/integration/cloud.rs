//! The whole life of a repository on storages that are reached over HTTP.

use std::process::Command;
use std::sync::Arc;

use model::Secret;
use object_store::ObjectStore;
use repository::{
    CheckOptions, Cloud, Error, Location, ReadData, Repository, Snapshot, StoreCredential,
    open_store,
};
use s3s::{S3, S3Request, S3Response, S3Result, dto};
use tokio::net::TcpListener;

use crate::support::*;

const KEY_ID: &str = "AKIDTEST";
const KEY: &str = "a-secret-of-the-storage";

/// `s3s-fs` but for one thing: minio's client, which restic uses, sends an empty delimiter where it means none, as S3 takes it.
struct Files(s3s_fs::FileSystem);

macro_rules! delegate {
    ($($method:ident $input:ident $output:ident),*) => {
        #[async_trait::async_trait]
        impl S3 for Files {
            $(async fn $method(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                self.0.$method(request).await
            })*

            async fn list_objects_v2(
                &self,
                mut request: S3Request<dto::ListObjectsV2Input>,
            ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
                request.input.delimiter = request.input.delimiter.filter(|text| !text.is_empty());
                self.0.list_objects_v2(request).await
            }
        }
    };
}

delegate! {
    get_object GetObjectInput GetObjectOutput,
    head_object HeadObjectInput HeadObjectOutput,
    put_object PutObjectInput PutObjectOutput,
    delete_object DeleteObjectInput DeleteObjectOutput,
    head_bucket HeadBucketInput HeadBucketOutput,
    get_bucket_location GetBucketLocationInput GetBucketLocationOutput
}

/// A real S3 server in this process, with a bucket `backups` in a folder.
pub(crate) struct S3Server {
    pub(crate) endpoint: String,
    _folder: tempfile::TempDir,
    _serving: tokio::task::JoinSet<()>,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
        let mut service = s3s::service::S3ServiceBuilder::new(Files(files));
        service.set_auth(s3s::auth::SimpleAuth::from_single(KEY_ID, KEY));
        let service = service.build();
        let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
            let service = service.clone();
            async move {
                let request = request.map(s3s::Body::http_body_unsync);
                let response = service.call(request).await.unwrap();
                response.map(axum::body::Body::new)
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            endpoint,
            _folder: folder,
            _serving: serving,
        }
    }

    fn location(&self, prefix: &str) -> Location {
        let text = format!("s3://backups{prefix}?endpoint={}", self.endpoint);
        text.parse().unwrap()
    }
}

fn key() -> StoreCredential {
    StoreCredential::parse(Cloud::S3, &Secret::new(format!("{KEY_ID}:{KEY}"))).unwrap()
}

async fn assert_whole(repository: &Repository) {
    let options = CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

/// Write, read, lock, forget, prune, check. Leaves one snapshot with `keep` in it.
async fn live_a_life(store: Arc<dyn ObjectStore>) {
    let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
        .await
        .unwrap();
    let again = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options()).await;
    assert!(matches!(again, Err(Error::Exists(_))));
    let wrong = Repository::open(Arc::clone(&store), &secret("wrong")).await;
    assert_eq!(wrong.err().unwrap().code(), "wrong-password");

    let big = noise(7, 18 << 20);
    let first = commit(&repository, None, &[("gone", &big), ("keep", b"both")]).await;
    let second = commit(&repository, Some(first.tree), &[("gone", b"small now")]).await;

    let other = opened(Arc::clone(&store)).await;
    let node = other.find(first.tree, "gone").await.unwrap().unwrap();
    assert_eq!(other.read(&node).await.unwrap(), big);
    let part = other.read_range(&node, 5_000_000..9_000_000).await.unwrap();
    assert_eq!(part, big[5_000_000..9_000_000]);

    let clock = TestClock::real();
    let shared = repository.lock_shared(&holder(&clock)).await.unwrap();
    let elsewhere = repository::Holder {
        hostname: "another-host".to_owned(),
        ..holder(&clock)
    };
    let refused = other.lock_exclusive(&elsewhere).await.err().unwrap();
    assert_eq!(refused.code(), "lock-held");
    shared.release().await.unwrap();

    let snapshots = repository.snapshots().await.unwrap();
    let of = |tree| move |found: &&(_, Snapshot)| found.1.tree == tree;
    let old = snapshots.iter().find(of(first.tree)).unwrap().0;
    repository.forget(&[old]).await.unwrap();
    let report = prune(&repository).await;
    assert!(report.bytes_freed > 17 << 20, "{report:?}");
    assert_eq!(report.packs_locked, 0);

    let fresh = opened(Arc::clone(&store)).await;
    assert!(fresh.locks().await.unwrap().is_empty());
    assert_eq!(fresh.snapshots().await.unwrap().len(), 1);
    let node = fresh.find(second.tree, "keep").await.unwrap().unwrap();
    assert_eq!(fresh.read(&node).await.unwrap(), "both");
    assert_whole(&fresh).await;
}

#[tokio::test]
async fn a_repository_lives_on_s3_and_restic_reads_it() {
    let server = S3Server::start().await;
    for prefix in ["", "/contoso/main"] {
        let store = open_store(&server.location(prefix), &key()).unwrap();
        live_a_life(store).await;
        let at = format!("s3:{}/backups{prefix}", server.endpoint);
        for arguments in [["check", "--read-data"], ["dump", "latest"]] {
            let mut restic = Command::new("restic");
            restic.args(["--no-cache", "-r", &at]).args(arguments);
            if arguments[0] == "dump" {
                restic.arg("/keep");
            }
            restic.env("RESTIC_PASSWORD", PASSWORD);
            restic.env("AWS_ACCESS_KEY_ID", KEY_ID);
            restic.env("AWS_SECRET_ACCESS_KEY", KEY);
            let output = tokio::task::spawn_blocking(move || restic.output())
                .await
                .unwrap()
                .expect("the `restic` binary is needed for this test (apt-get install restic)");
            let text = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?}: {text}\n{errors}");
            if arguments[0] == "dump" {
                assert_eq!(text, "both");
            }
        }
    }
}

#[tokio::test]
async fn errors_on_s3_name_the_place_and_never_the_secret() {
    let server = S3Server::start().await;
    let location = server.location("/nothing");
    let store = open_store(&location, &key()).unwrap();
    let error = Repository::open(store, &secret(PASSWORD))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "repository-not-found");
    assert!(
        error.to_string().contains("s3://backups/nothing"),
        "{error}"
    );

    let bad = StoreCredential::S3Key {
        id: KEY_ID.to_owned(),
        secret: Secret::new("hunter2hunter2"),
        session_token: None,
    };
    let store = open_store(&location, &bad).unwrap();
    assert!(!format!("{store:?} {store}").contains("hunter2"));
    let error = Repository::open(store, &secret(PASSWORD))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "storage-failed");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_credential_of_another_cloud_is_refused() {
    let server = S3Server::start().await;
    let azure = StoreCredential::AzureKey(Secret::new("a2V5"));
    let error = open_store(&server.location(""), &azure).unwrap_err();
    assert_eq!(error.code(), "storage-credential");
}

/// The well-known key of Azurite's account.
const AZURITE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

#[tokio::test]
#[ignore = "needs Azurite: make test-azurite"]
async fn on_azurite() {
    #[expect(clippy::disallowed_methods, reason = "where the server is")]
    let endpoint = std::env::var("KEEPWARD_TEST_AZURITE").unwrap();
    make_container(&endpoint, "backups").await;
    for prefix in ["", "/contoso/main"] {
        let location = format!("azure://devstoreaccount1/backups{prefix}?endpoint={endpoint}");
        let location: Location = location.parse().unwrap();
        let key = StoreCredential::parse(Cloud::Azure, &Secret::new(AZURITE_KEY)).unwrap();
        live_a_life(open_store(&location, &key).unwrap()).await;
        let wrong = StoreCredential::AzureKey(Secret::new("d3Jvbmc="));
        let store = open_store(&location, &wrong).unwrap();
        let error = Repository::open(store, &secret(PASSWORD))
            .await
            .err()
            .unwrap();
        assert_eq!(error.code(), "storage-failed");
    }
}

/// `object_store` uses containers and cannot make one.
async fn make_container(endpoint: &str, name: &str) {
    use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
    use object_store::client::{
        HttpConnector as _, HttpRequest, HttpRequestBody, ReqwestConnector,
    };
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = "PUT".parse().unwrap();
    *request.uri_mut() = format!("{endpoint}/{name}?restype=container")
        .parse()
        .unwrap();
    let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(AZURITE_KEY).unwrap());
    AzureAuthorizer::new(&credential, "devstoreaccount1")
        .try_authorize(&mut request)
        .unwrap();
    let options = object_store::ClientOptions::new().with_allow_http(true);
    let client = ReqwestConnector::default().connect(&options).unwrap();
    let response = client.execute(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 201);
}
