//! An identity provider on loopback that says what a test wants it to say.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[derive(Clone)]
struct Shared {
    issuer: String,
    key: Arc<KeyPair>,
    /// The code challenge and the claims that a code stands for; it is good once.
    codes: Arc<Mutex<HashMap<String, (String, Value)>>>,
    asked: Arc<AtomicUsize>,
}

pub(crate) struct Provider {
    shared: Shared,
    _serving: tokio::task::JoinSet<()>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(KeyPair::generate().unwrap()),
            codes: Arc::default(),
            asked: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route(
                "/organizations/v2.0/.well-known/openid-configuration",
                get(of_all_organizations),
            )
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(shared.clone());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            shared,
            _serving: serving,
        }
    }

    /// How often it was asked about itself.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(SeqCst)
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Somebody signed in and is sent back with this code.
    pub(crate) fn grant(&self, code: &str, challenge: &str, claims: Value) {
        let granted = (challenge.to_owned(), claims);
        self.shared
            .codes
            .lock()
            .unwrap()
            .insert(code.to_owned(), granted);
    }
}

async fn discovery(State(shared): State<Shared>) -> Json<Value> {
    shared.asked.fetch_add(1, SeqCst);
    let issuer = &shared.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

/// As Entra ID says it: the tenant is a placeholder.
async fn of_all_organizations(State(shared): State<Shared>) -> Json<Value> {
    let issuer = format!("{}/{{tenantid}}/v2.0", shared.issuer);
    let Json(mut document) = discovery(State(shared)).await;
    document["issuer"] = json!(issuer);
    Json(document)
}

async fn keys(State(shared): State<Shared>) -> Json<Value> {
    let point = shared.key.public_key_raw();
    let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
    Json(json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one", "x": part(1), "y": part(33) },
    ]}))
}

async fn token(
    State(shared): State<Shared>,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = (
        StatusCode::BAD_REQUEST,
        Json(json!({ "error": "invalid_grant" })),
    );
    let Some((challenge, claims)) = shared.codes.lock().unwrap().remove(&form["code"]) else {
        return refused;
    };
    let verifier = form.get("code_verifier").map_or("", String::as_str);
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != challenge {
        return refused;
    }
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("one".to_owned());
    let key = EncodingKey::from_ec_der(shared.key.serialized_der());
    let signed = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    let answer = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": signed });
    (StatusCode::OK, Json(answer))
}
