//! A running simulator and what clients of Entra ID and Microsoft Graph send.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Seed, Simulator};

pub(crate) const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com/.default";
pub(crate) const BACK: &str = "http://127.0.0.1:9/back";

pub(crate) struct Tenancy {
    pub simulator: Simulator,
    pub client: reqwest::Client,
}

pub(crate) struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Asserts a refusal of the token endpoint.
    #[track_caller]
    pub(crate) fn refused(self, error: &str, code: u32) -> Value {
        let value = self.json();
        assert_eq!(value["error"], error, "{value}");
        assert_eq!(value["error_codes"], json!([code]), "{value}");
        let words = value["error_description"].as_str().unwrap();
        assert!(words.starts_with(&format!("AADSTS{code}: ")), "{words}");
        value
    }

    /// The parameters of the address that a browser is sent to.
    #[track_caller]
    pub(crate) fn returned(&self) -> std::collections::BTreeMap<String, String> {
        assert_eq!(self.status, 302, "{}", self.text);
        let url = url::Url::parse(self.headers["location"].to_str().unwrap()).unwrap();
        assert!(url.as_str().starts_with(BACK), "{url}");
        url.query_pairs().into_owned().collect()
    }
}

impl Tenancy {
    pub(crate) async fn start() -> Self {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: None,
            seed: Seed::Empty,
        };
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            client,
        }
    }

    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.simulator.url())
        };
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], String::new()).await
    }

    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        let value = format!("Bearer {token}");
        let headers = [("authorization", value.as_str())];
        self.request(Method::GET, path, &headers, String::new())
            .await
    }

    pub(crate) async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.request(Method::POST, path, &headers, body).await
    }

    /// The token endpoint of a tenant.
    pub(crate) async fn token(&self, tenant: &str, pairs: &[(&str, &str)]) -> Answer {
        self.form(&format!("/{tenant}/oauth2/v2.0/token"), pairs)
            .await
    }

    /// Client credentials of the seeded app.
    pub(crate) async fn app_token(&self, scope: &str) -> String {
        let answer = self
            .token(
                &self.simulator.tenant(),
                &[
                    ("grant_type", "client_credentials"),
                    ("client_id", &self.simulator.client_id()),
                    ("client_secret", &self.simulator.client_secret()),
                    ("scope", scope),
                ],
            )
            .await
            .ok();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The address of the sign-in, with the parameters beside the usual ones.
    pub(crate) fn authorize(&self, tenant: &str, scope: &str, more: &[(&str, &str)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", self.simulator.client_id().as_str()),
                ("response_type", "code"),
                ("redirect_uri", BACK),
                ("state", "s1"),
                ("scope", scope),
            ])
            .extend_pairs(more)
            .finish();
        format!("/{tenant}/oauth2/v2.0/authorize?{query}")
    }

    /// Signs the person in at once and redeems the code.
    pub(crate) async fn person_tokens(&self, person: &str, scope: &str) -> Value {
        self.simulator.sign_in_at_once(person);
        let path = self.authorize("organizations", scope, &[]);
        let code = self.get(&path).await.returned()["code"].clone();
        self.redeem(&code, &[]).await.ok()
    }

    pub(crate) async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let client = self.simulator.client_id();
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code),
            ("redirect_uri", BACK),
        ];
        pairs.extend(more);
        self.token("organizations", &pairs).await
    }

    pub(crate) async fn refresh(&self, token: &str, scope: &str) -> Answer {
        let client = self.simulator.client_id();
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", client.as_str()),
            ("refresh_token", token),
            ("scope", scope),
        ];
        self.token("organizations", &pairs).await
    }

    /// A device code for the seeded app, as the answer gives it.
    pub(crate) async fn device(&self, tenant: &str) -> Value {
        let path = format!("/{tenant}/oauth2/v2.0/devicecode");
        let scope = format!("openid offline_access {AZURE_DEVOPS}");
        let client = self.simulator.client_id();
        self.form(&path, &[("client_id", &client), ("scope", &scope)])
            .await
            .ok()
    }

    pub(crate) async fn poll(&self, device: &Value) -> Answer {
        let client = self.simulator.client_id();
        let pairs = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", client.as_str()),
            ("device_code", device["device_code"].as_str().unwrap()),
        ];
        self.token("organizations", &pairs).await
    }
}

/// The claims of a token, which clients must not read and tests may.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
