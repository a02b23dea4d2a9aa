//! Requests to identity providers: where the rules allow, no redirects, a time limit, small answers.

use std::pin::Pin;
use std::time::Duration;

use futures::TryStreamExt as _;
use openidconnect::http;
use service::egress::{Egress, Purpose};
use tokio::sync::OnceCell;

/// Larger answers are no documents of a provider.
const LARGEST: usize = 1 << 20;

/// One client for all providers, made when it is needed first.
#[derive(Default)]
pub(crate) struct Web(OnceCell<reqwest::Client>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{0}")]
    Request(#[from] http::Error),
    #[error("{0}")]
    Refused(#[from] service::Error),
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, Error>> + Send>>;

impl Web {
    /// As openidconnect calls it.
    pub(super) async fn client(
        &self,
        rules: &Egress,
    ) -> Result<impl Fn(http::Request<Vec<u8>>) -> Answer + Send + Sync + use<>, reqwest::Error>
    {
        let make = async || {
            rules
                .guard(reqwest::Client::builder(), Purpose::Connector)
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(10))
                .timeout(Duration::from_secs(20))
                .build()
        };
        let client = self.0.get_or_try_init(make).await?.clone();
        let rules = rules.clone();
        Ok(move |request| -> Answer { Box::pin(send(client.clone(), rules.clone(), request)) })
    }
}

async fn send(
    client: reqwest::Client,
    rules: Egress,
    request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, Error> {
    let request: reqwest::Request = request.try_into()?;
    // The document of a provider names further addresses, also by numbers, which nobody looks up.
    rules.check(request.url(), Purpose::Connector).await?;
    let answer = client.execute(request).await?;
    let mut response = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.try_next().await? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body)?)
}
