//! The HTTP client of a bucket.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::client::{ClientConfigKey, HttpClient, HttpConnector};
use object_store::{ClientOptions, Result as StoreResult};

use reqwest::dns::Resolve;

use super::remote::{CONNECT, SILENCE, WHOLE_REQUEST};
use super::{Bucket, StoreCredential};

/// How names of hosts are looked up.
pub type Names = Arc<dyn Resolve>;

/// What opens a storage, and where the names of an address lead that somebody gave for it.
#[derive(Clone)]
pub struct Access<'a> {
    pub credential: &'a StoreCredential,
    /// `None` for the machine's own lookup. Addresses that belong to the cloud itself are always looked up by that.
    pub names: Option<Names>,
}

impl<'a> From<&'a StoreCredential> for Access<'a> {
    fn from(credential: &'a StoreCredential) -> Self {
        Self {
            credential,
            names: None,
        }
    }
}

/// Follows no redirect: `object_store`'s own client goes wherever a server sends it, also behind the firewall. No storage needs that, since what
/// is signed for one place is no good at another.
#[derive(Clone)]
pub(super) struct Straight {
    names: Option<Names>,
}

impl Straight {
    pub(super) fn new(bucket: &Bucket, names: Option<&Names>) -> Self {
        let named = bucket.endpoint.is_some();
        Self {
            names: names.filter(|_| named).cloned(),
        }
    }
}

impl fmt::Debug for Straight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Straight")
    }
}

impl HttpConnector for Straight {
    fn connect(&self, options: &ClientOptions) -> StoreResult<HttpClient> {
        // The machine's identity service speaks no TLS, and is there at once or not at all: `object_store` asks for other options then.
        let seconds = options.get_config_value(&ClientConfigKey::ConnectTimeout);
        let seconds = seconds.and_then(|text| text.strip_suffix('s')?.parse().ok());
        let clear = options.get_config_value(&ClientConfigKey::AllowHttp);
        let mut builder = reqwest::Client::builder();
        if let Some(names) = &self.names {
            builder = builder.dns_resolver(Arc::clone(names));
        }
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WHOLE_REQUEST)
            .read_timeout(SILENCE)
            .connect_timeout(seconds.map_or(CONNECT, Duration::from_secs))
            .https_only(clear.as_deref() != Some("true"))
            // Files are what they are, whatever the server calls their encoding.
            .no_gzip()
            .build();
        client
            .map(HttpClient::new)
            .map_err(|error| object_store::Error::Generic {
                store: "HTTP",
                source: Box::new(error),
            })
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::Redirect;
    use model::Secret;
    use object_store::ObjectStoreExt as _;

    use object_store::client::HttpRequest;

    use super::*;
    use crate::store::remote::client_options;
    use crate::store::{Location, open_store};

    /// Knows one name alone, and notes what it was asked for.
    struct Told(std::sync::Mutex<Vec<String>>);

    impl Resolve for Told {
        fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
            self.0.lock().unwrap().push(name.as_str().to_owned());
            Box::pin(async { Err("not from here".into()) })
        }
    }

    #[tokio::test]
    async fn the_names_of_an_address_that_somebody_gave_are_looked_up_as_told() {
        let told = Arc::new(Told(std::sync::Mutex::default()));
        let names: Names = told.clone();
        let line = |text: &str| match text.parse().unwrap() {
            Location::Cloud(bucket) => (Straight::new(&bucket, Some(&names)), bucket),
            Location::Local(_) => unreachable!(),
        };
        let (line_to_one, bucket) = line("s3://b/p?endpoint=http://localhost:1");
        let client = line_to_one.connect(&client_options(&bucket)).unwrap();
        let mut request = HttpRequest::new(bytes::Bytes::new().into());
        *request.uri_mut() = "http://localhost:1/b".parse().unwrap();
        assert!(client.execute(request).await.is_err());
        assert_eq!(*told.0.lock().unwrap(), ["localhost"]);
        // The cloud's own hosts are nobody's choice.
        assert!(line("s3://b/p").0.names.is_none());
    }

    #[tokio::test]
    async fn a_storage_sends_nobody_to_another_address() {
        let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let to = format!("http://{}/secret", elsewhere.local_addr().unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(async move || Redirect::temporary(&to));
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await });
        let location: Location = format!("s3://b/p?endpoint={endpoint}").parse().unwrap();
        let credential = StoreCredential::S3Key {
            id: "id".to_owned(),
            secret: Secret::new("secret"),
            session_token: None,
        };
        let store = open_store(&location, &credential).unwrap();
        assert!(store.get(&"config".into()).await.is_err());
        let asked = elsewhere.accept().map(drop).unwrap_err();
        assert_eq!(asked.kind(), std::io::ErrorKind::WouldBlock);
    }
}
