//! Entra ID and the identity endpoint of machines: refusals that clients act on.

use reqwest::Method;
use serde_json::{Value, json};

use super::tenancy::{AZURE_DEVOPS, Tenancy};

/// "The claims … a client has to send" (learn.microsoft.com, claims challenges): the member is text with JSON in it.
#[tokio::test]
async fn who_is_blocked_gets_the_claims_to_ask_for_as_a_text() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person().to_owned();
    let scope = format!("openid offline_access {AZURE_DEVOPS}");
    let tokens = tenancy.person_tokens(&person, &scope).await;
    let blocked = json!({"userPrincipalName": person, "blocked": true});
    tenancy.simulator.control("people", &blocked).unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refused = tenancy
        .refresh(refresh, AZURE_DEVOPS)
        .await
        .refused("invalid_grant", 53_003);
    let claims: Value = serde_json::from_str(refused["claims"].as_str().unwrap()).unwrap();
    assert_eq!(claims["access_token"]["capolids"]["essential"], true);
}

/// "`client-request-id`: a GUID … `return-client-request-id: true`" as MSAL sends them, and finds in the error.
#[tokio::test]
async fn a_refusal_carries_the_id_that_the_client_gave_its_request() {
    let tenancy = Tenancy::start().await;
    let own = "f1d2c3b4-0000-4000-8000-00000000000a";
    let path = format!("/{}/oauth2/v2.0/token", tenancy.simulator.tenant());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("client-request-id", own),
        ("return-client-request-id", "true"),
    ];
    let sent = async |body: &str| {
        let request = tenancy.request(Method::POST, &path, &headers, body.to_owned());
        request.await
    };
    let answer = sent("").await;
    assert_eq!(answer.headers["client-request-id"], own);
    let error = answer.refused("invalid_request", 900_144);
    assert_eq!(error["correlation_id"], own);
    let words = error["error_description"].as_str().unwrap();
    assert!(words.contains("'grant_type'"), "{words}");
    assert!(words.contains(&format!("Correlation ID: {own}")), "{words}");
    let other = sent("grant_type=magic&client_id=x").await.json();
    assert_ne!(other["error_codes"], json!([900_144]), "{other}");
}

/// `invalid_instance` is what MSAL takes for an authority that does not exist.
#[tokio::test]
async fn the_clouds_are_known_and_others_are_not() {
    let tenancy = Tenancy::start().await;
    let ask = async |endpoint: &str| {
        let path = format!(
            "/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}/common/oauth2/v2.0/authorize"
        );
        tenancy.get(&path).await
    };
    let known = ask("https://login.microsoftonline.com").await.ok();
    let clouds = known["metadata"].as_array().unwrap();
    let has = |cloud: &&Value| {
        cloud["aliases"]
            .as_array()
            .unwrap()
            .contains(&json!("login.microsoftonline.com"))
    };
    let public = clouds.iter().find(has).unwrap();
    assert_eq!(public["preferred_cache"], "login.windows.net");
    let here = tenancy.simulator.url();
    assert!(ask(here).await.ok()["tenant_discovery_endpoint"].is_string());
    ask("https://login.evil.example")
        .await
        .refused("invalid_instance", 50_049);
    tenancy
        .get("/common/discovery/instance?api-version=1.1")
        .await
        .refused("invalid_request", 900_144);
}

/// "`bad_request_102`: the value must be specified as `true`, in all lower case" (how to use managed identities on a virtual machine).
#[tokio::test]
async fn the_machine_wants_its_header_as_the_document_writes_it() {
    let tenancy = Tenancy::start().await;
    let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://graph.microsoft.com";
    let ask = async |method: Method, headers: &[(&str, &str)]| {
        let sent = tenancy.request(method, path, headers, String::new());
        sent.await
    };
    for headers in [&[][..], &[("metadata", "True")], &[("metadata", "1")]] {
        let refused = ask(Method::GET, headers).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.json(),
            json!({"error": "bad_request_102", "error_description": "Required metadata header not specified"})
        );
    }
    let right = [("metadata", "true")];
    assert_eq!(ask(Method::POST, &right).await.status, 405);
    assert_eq!(ask(Method::GET, &right).await.status, 200);
}

/// What a test means must not be taken for nothing.
#[tokio::test]
async fn a_control_request_of_the_wrong_shape_is_refused() {
    let tenancy = Tenancy::start().await;
    let post = async |path: &str, body: Value| {
        let sent = tenancy.request(Method::POST, path, &[], body.to_string());
        sent.await.status
    };
    for (path, body) in [
        ("/__bulk/change", json!({"count": "many"})),
        ("/__bulk/change", json!({"count": -1})),
        (
            "/__organizations",
            json!({"name": "lost", "tenant": "nowhere.example"}),
        ),
        ("/__organizations", json!({})),
        ("/__pats", json!({"scopes": "vso.code"})),
        ("/__pats", json!({"organization": "nowhere"})),
        (
            "/__repositories",
            json!({"repository": "x", "isInMaintenance": "yes"}),
        ),
        (
            "/__access",
            json!({"person": tenancy.simulator.person(), "deny": {"token": "x"}}),
        ),
        ("/__graph/throttle", json!({"count": "1"})),
        (
            "/__entra/people",
            json!({"userPrincipalName": tenancy.simulator.person(), "blocked": "yes"}),
        ),
        ("/__entra/nothing", json!({})),
    ] {
        let status = post(path, body.clone()).await;
        assert!((400..500).contains(&status), "{path} {body}: {status}");
    }
}

/// "AADSTS900144: The request body must contain the following parameter" (error codes of Microsoft Entra), sent back to the app.
#[tokio::test]
async fn an_authorization_request_needs_its_scope_and_its_kind() {
    let tenancy = Tenancy::start().await;
    let whole = tenancy.authorize("organizations", "openid", &[]);
    for (parameter, text) in [
        ("scope", "&scope=openid"),
        ("response_type", "&response_type=code"),
    ] {
        assert!(whole.contains(text), "{whole}");
        let returned = tenancy.get(&whole.replace(text, "")).await.returned();
        assert_eq!(returned["error"], "invalid_request");
        let words = &returned["error_description"];
        assert!(words.starts_with("AADSTS900144: "), "{words}");
        assert!(words.contains(&format!("'{parameter}'")), "{words}");
    }
}

/// A rule that no client may break is told, be it in a batch of permissions or in properties of a project.
#[tokio::test]
async fn half_a_question_about_permissions_is_no_yes() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(AZURE_DEVOPS).await;
    let value = format!("Bearer {token}");
    let headers = [
        ("authorization", value.as_str()),
        ("content-type", "application/json"),
    ];
    let path = "/contoso/_apis/security/permissionevaluationbatch?api-version=7.1";
    let whole = json!({"securityNamespaceId": "52d39943-cb85-4d7f-8fa8-c6baac873819", "token": "$PROJECT:x", "permissions": 1});
    for missing in ["securityNamespaceId", "token", "permissions"] {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(missing);
        let body = json!({"evaluations": [whole, part]}).to_string();
        let told = tenancy.request(Method::POST, path, &headers, body).await;
        assert_eq!(told.status, 400, "{missing}: {}", told.text);
        assert!(told.text.contains(missing), "{}", told.text);
    }
}
