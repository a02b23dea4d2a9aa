//! Apps and machines sign in as themselves.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::tenancy::{AZURE_DEVOPS, GRAPH, Tenancy, claims};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn by_secret(tenancy: &Tenancy, client: &str, secret: &str) -> super::tenancy::Answer {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", AZURE_DEVOPS),
    ];
    tenancy.token(&tenancy.simulator.tenant(), &pairs).await
}

async fn by_assertion(
    tenancy: &Tenancy,
    tenant: &str,
    client: &str,
    assertion: &str,
) -> super::tenancy::Answer {
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
        ("scope", AZURE_DEVOPS),
    ];
    tenancy.token(tenant, &pairs).await
}

#[tokio::test]
async fn a_secret_is_checked_and_expires() {
    let tenancy = Tenancy::start().await;
    let client = tenancy.simulator.client_id();
    by_secret(&tenancy, &client, &tenancy.simulator.client_secret())
        .await
        .ok();
    by_secret(&tenancy, &client, "wrong")
        .await
        .refused("invalid_client", 7_000_215);
    let made = tenancy
        .simulator
        .control("secrets", &json!({"client": client, "life": 60}))
        .unwrap();
    let secret = made["secret"].as_str().unwrap();
    by_secret(&tenancy, &client, secret).await.ok();
    tenancy.simulator.advance_clock(61);
    by_secret(&tenancy, &client, secret)
        .await
        .refused("invalid_client", 7_000_222);
    by_secret(&tenancy, &tenancy.simulator.tenant(), "x")
        .await
        .refused("unauthorized_client", 700_016);
}

#[tokio::test]
async fn client_credentials_want_a_tenant_a_known_resource_and_its_default_scope() {
    let tenancy = Tenancy::start().await;
    let client = tenancy.simulator.client_id();
    let secret = tenancy.simulator.client_secret();
    let contoso = tenancy.simulator.tenant();
    let cases = [
        ("organizations", AZURE_DEVOPS, "invalid_request", 50_059),
        (
            &*contoso,
            "api://nobody/.default",
            "invalid_resource",
            500_011,
        ),
        (
            &*contoso,
            "https://graph.microsoft.com/User.Read.All",
            "invalid_scope",
            1_002_012,
        ),
        ("nowhere", AZURE_DEVOPS, "invalid_request", 90_002),
    ];
    for (tenant, scope, error, code) in cases {
        let pairs = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", secret.as_str()),
            ("scope", scope),
        ];
        tenancy.token(tenant, &pairs).await.refused(error, code);
    }
}

/// A certificate as an app has it.
struct Certificate {
    key: EncodingKey,
    thumbprint: String,
    pem: String,
}

impl Certificate {
    fn new() -> Self {
        use base64::Engine as _;
        use sha2::Digest as _;
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        Self {
            key: EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap(),
            thumbprint: base64::engine::general_purpose::URL_SAFE_NO_PAD
                .encode(sha2::Sha256::digest(certificate.der())),
            pem: certificate.pem(),
        }
    }

    fn sign(&self, algorithm: Algorithm, claims: &Value) -> String {
        let header = Header {
            x5t_s256: Some(self.thumbprint.clone()),
            ..Header::new(algorithm)
        };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

#[tokio::test]
async fn an_assertion_is_checked_in_every_part_and_is_good_once() {
    let tenancy = Tenancy::start().await;
    let client = tenancy.simulator.client_id();
    let tenant = tenancy.simulator.tenant();
    let own = Certificate::new();
    tenancy
        .simulator
        .control(
            "certificates",
            &json!({"client": client, "certificate": own.pem}),
        )
        .unwrap();
    let audience = format!("{}/{tenant}/oauth2/v2.0/token", tenancy.simulator.url());
    // The clock of the answers: tests may not read the machine's.
    let token = claims(&tenancy.app_token(GRAPH).await);
    let now = token["iat"].as_i64().unwrap();
    let good = |jti: &str| json!({"iss": client, "sub": client, "aud": audience, "jti": jti, "iat": now, "nbf": now, "exp": now + 600});
    let with = |name: &str, value: Value| {
        let mut claims = good(name);
        claims[name] = value;
        claims
    };
    let rs = |claims: &Value| own.sign(Algorithm::RS256, claims);
    let send = async |text: &str| by_assertion(&tenancy, &tenant, &client, text).await;
    send(&rs(&good("1"))).await.ok();
    send(&own.sign(Algorithm::PS256, &good("2"))).await.ok();
    send(&rs(&good("1")))
        .await
        .refused("invalid_client", 70_002);
    let foreign = Certificate::new();
    send(&foreign.sign(Algorithm::RS256, &good("3")))
        .await
        .refused("invalid_client", 700_027);
    // A stranger's key under the thumbprint of the registered certificate.
    let forged = Certificate {
        thumbprint: own.thumbprint.clone(),
        ..foreign
    };
    send(&forged.sign(Algorithm::RS256, &good("4")))
        .await
        .refused("invalid_client", 700_027);
    send(&rs(&with("aud", json!("https://elsewhere.example"))))
        .await
        .refused("invalid_client", 700_023);
    send(&rs(&with("exp", json!(now - 301))))
        .await
        .refused("invalid_client", 700_024);
    send(&rs(&with("nbf", json!(now + 400))))
        .await
        .refused("invalid_client", 700_024);
    send(&rs(&with("sub", json!(tenant))))
        .await
        .refused("invalid_client", 700_021);
    send("not.a.token").await.refused("invalid_request", 50_027);
}

#[tokio::test]
async fn the_identity_of_a_machine_stands_for_an_app_here_and_in_another_tenant() {
    let tenancy = Tenancy::start().await;
    let client = tenancy.simulator.client_id();
    let (home, other) = (tenancy.simulator.tenant(), tenancy.simulator.other_tenant());
    let path = format!(
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api://AzureADTokenExchange&client_id={}",
        tenancy.simulator.managed_identity()
    );
    let metadata = [("metadata", "true")];
    let answer = tenancy
        .request(reqwest::Method::GET, &path, &metadata, String::new())
        .await
        .ok();
    let assertion = answer["access_token"].as_str().unwrap();
    by_assertion(&tenancy, &home, &client, assertion).await.ok();
    by_assertion(&tenancy, &other, &client, assertion)
        .await
        .refused("unauthorized_client", 7_000_229);
    let consent = json!({"client": client, "tenant": other});
    tenancy.simulator.control("consents", &consent).unwrap();
    by_assertion(&tenancy, &other, &client, assertion)
        .await
        .ok();
    // An app that the customer's tenant itself registered does not accept the vendor's identities.
    let made = tenancy
        .simulator
        .control("apps", &json!({"name": "Own", "tenant": other}))
        .unwrap();
    let own = made["clientId"].as_str().unwrap();
    let subject = claims(assertion)["sub"].clone();
    let federation = json!({"client": own, "issuer": format!("https://login.microsoftonline.com/{home}/v2.0"), "subject": subject});
    tenancy
        .simulator
        .control("federations", &federation)
        .unwrap();
    by_assertion(&tenancy, &other, own, assertion)
        .await
        .refused("invalid_client", 700_236);
}

#[tokio::test]
async fn a_platform_is_trusted_by_issuer_subject_and_audience() {
    let tenancy = Tenancy::start().await;
    let (client, tenant) = (tenancy.simulator.client_id(), tenancy.simulator.tenant());
    let (issuer, subject) = (
        "https://oidc.example/cluster",
        "system:serviceaccount:backup:worker",
    );
    let federation = json!({"client": client, "issuer": issuer, "subject": subject});
    tenancy
        .simulator
        .control("federations", &federation)
        .unwrap();
    let token =
        |issuer: &str, subject: &str| tenancy.simulator.workload_token(issuer, subject).unwrap();
    let send = async |text: &str| by_assertion(&tenancy, &tenant, &client, text).await;
    send(&token(issuer, subject)).await.ok();
    send(&token(issuer, "system:serviceaccount:other:worker"))
        .await
        .refused("invalid_client", 700_213);
    send(&token("https://oidc.example/other", subject))
        .await
        .refused("invalid_client", 700_211);
    let audience = json!({"issuer": issuer, "subject": subject, "audience": "api://other"});
    let made = tenancy
        .simulator
        .control("workload-tokens", &audience)
        .unwrap();
    send(made["token"].as_str().unwrap())
        .await
        .refused("invalid_client", 700_212);
    let forged = Certificate::new().sign(
        Algorithm::RS256,
        &json!({"iss": issuer, "sub": subject, "aud": "api://AzureADTokenExchange", "exp": 4_000_000_000_u64}),
    );
    send(&forged).await.refused("invalid_client", 5_002_711);
}

#[tokio::test]
async fn the_machine_gives_tokens_with_times_as_texts_and_refuses_the_unknown() {
    let tenancy = Tenancy::start().await;
    let resource = "resource=499b84ac-1321-427f-aa17-267ca6975798";
    let imds = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&{resource}");
    let send = async |path: &str, headers: &[(&str, &str)]| {
        tenancy
            .request(reqwest::Method::GET, path, headers, String::new())
            .await
    };
    let metadata = [("metadata", "true")];
    let answer = send(&imds, &metadata).await.ok();
    assert!(answer["expires_in"].is_string() && answer["expires_on"].is_string());
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(
        tenancy
            .get_as("/contoso/_apis/projects", token)
            .await
            .status,
        200
    );
    assert_eq!(send(&imds, &[]).await.status, 400);
    let unknown = format!("{imds}&client_id={}", tenancy.simulator.tenant());
    assert!(
        send(&unknown, &metadata)
            .await
            .text
            .contains("Identity not found")
    );
    let (endpoint, header) = tenancy.simulator.app_service();
    let path = format!("{endpoint}?api-version=2019-08-01&{resource}");
    assert_eq!(send(&path, &[]).await.status, 401);
    send(&path, &[("x-identity-header", header)]).await.ok();
    let machine = |body: Value| tenancy.simulator.control("machine", &body).unwrap();
    machine(json!({"throttled": 1}));
    assert_eq!(send(&imds, &metadata).await.status, 429);
    machine(json!({"failure": 404}));
    assert_eq!(send(&imds, &metadata).await.status, 404);
    machine(json!({"failure": null, "system": false}));
    assert_eq!(send(&imds, &metadata).await.status, 400);
}
