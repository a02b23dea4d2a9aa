//! Sign-in at an identity provider, and what somebody in the middle could try.

use std::collections::HashMap;

use axum::http::StatusCode;
use model::Role;
use serde_json::{Value, json};
use url::Url;

use crate::harness::{Answer, As, World};
use crate::provider::Provider;

struct Scene {
    world: World,
    root: As,
    provider: Provider,
}

/// A browser that is on its way at the provider.
struct Away {
    cookie: String,
    query: HashMap<String, String>,
}

impl Scene {
    async fn new(settings: Value) -> Self {
        let world = World::new().await;
        let root = world.with("root", &[Role::Admin]).await;
        let provider = Provider::start().await;
        let mut body = json!({
            "title": "Contoso",
            "issuer": provider.issuer(),
            "client_id": "keepward",
            "roles": { "backup-team": ["operator"], "bosses": ["admin", "auditor"] },
        });
        body.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        let put = world
            .send(&root, "PUT", "/identity-providers/contoso", Some(body))
            .await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
        assert_eq!(
            put.json["redirect_uri"],
            "http://127.0.0.1:8480/api/v1/sign-in/contoso/callback"
        );
        Self {
            world,
            root,
            provider,
        }
    }

    async fn leave(&self, return_to: &str) -> Away {
        let answer = self
            .world
            .send(
                &As::nobody(),
                "GET",
                &format!("/sign-in/contoso?return_to={return_to}"),
                None,
            )
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let to = Url::parse(answer.header("location")).unwrap();
        assert!(
            to.as_str()
                .starts_with(&format!("{}/authorize", self.provider.issuer()))
        );
        let query: HashMap<String, String> = to.query_pairs().into_owned().collect();
        assert_eq!(
            (
                query["response_type"].as_str(),
                query["code_challenge_method"].as_str()
            ),
            ("code", "S256")
        );
        Away {
            cookie: answer.cookie("keepward-sign-in").unwrap(),
            query,
        }
    }

    fn claims(&self, away: &Away) -> Value {
        let now = self.world.seconds();
        json!({
            "iss": self.provider.issuer(), "aud": "keepward", "sub": "subject-1", "nonce": away.query["nonce"],
            "iat": now, "exp": now + 300, "preferred_username": "dora@contoso.com", "tid": "tenant-1",
            "groups": ["backup-team", "others"],
        })
    }

    /// The provider sends the browser back with a code for these claims.
    async fn back(&self, away: &Away, claims: Value) -> Answer {
        self.provider
            .grant("code", &away.query["code_challenge"], claims);
        self.arrive(&away.cookie, &away.query["state"], "code")
            .await
    }

    async fn arrive(&self, cookie: &str, state: &str, code: &str) -> Answer {
        // Another site sends the browser here: that is what a provider does.
        let who = As::nobody()
            .with("cookie", cookie)
            .with("sec-fetch-site", "cross-site");
        let path = format!("/sign-in/contoso/callback?state={state}&code={code}");
        self.world.send(&who, "GET", &path, None).await
    }

    async fn refused(&self, claims: impl FnOnce(&mut Value)) -> String {
        let away = self.leave("/").await;
        let mut all = self.claims(&away);
        claims(&mut all);
        let answer = self.back(&away, all).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(answer.cookie("keepward"), None, "somebody came in");
        let location = answer.header("location").to_owned();
        location.strip_prefix("/sign-in?error=").unwrap().to_owned()
    }
}

#[tokio::test]
async fn groups_give_roles_at_each_sign_in() {
    let scene = Scene::new(json!({})).await;
    let away = scene.leave("/connectors?tab=2").await;
    let answer = scene.back(&away, scene.claims(&away)).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/connectors?tab=2"),
        "{}",
        answer.text
    );
    let dora = As::cookie(&answer.cookie("keepward").unwrap());
    let me = scene.world.send(&dora, "GET", "/me", None).await;
    assert_eq!(
        (&me.json["name"], &me.json["roles"]),
        (&json!("dora@contoso.com"), &json!(["operator"]))
    );
    let away = scene.leave("/").await;
    let mut claims = scene.claims(&away);
    claims["groups"] = json!(["bosses", "backup-team"]);
    // A name is no identity.
    claims["preferred_username"] = json!("somebody-else");
    let answer = scene.back(&away, claims).await;
    let dora = As::cookie(&answer.cookie("keepward").unwrap());
    let me = scene.world.send(&dora, "GET", "/me", None).await;
    assert_eq!(
        (&me.json["name"], &me.json["roles"]),
        (
            &json!("dora@contoso.com"),
            &json!(["operator", "admin", "auditor"])
        )
    );
    let disabled = scene
        .world
        .send(
            &scene.root,
            "PATCH",
            "/people/dora@contoso.com",
            Some(json!({ "disabled": true })),
        )
        .await;
    assert_eq!(disabled.status, StatusCode::OK);
    assert_eq!(scene.refused(|_| ()).await, "sign-in-refused");
}

/// What somebody reaches who signs in with these groups.
async fn reach(scene: &Scene, groups: &[&str]) -> Value {
    let away = scene.leave("/").await;
    let mut claims = scene.claims(&away);
    claims["groups"] = json!(groups);
    let answer = scene.back(&away, claims).await;
    let dora = As::cookie(&answer.cookie("keepward").unwrap());
    scene.world.send(&dora, "GET", "/me", None).await.json["connectors"].clone()
}

#[tokio::test]
async fn groups_say_at_each_sign_in_which_connectors_somebody_reaches() {
    let of_groups = json!({ "backup-team": ["Contoso"], "east": ["fabrikam"], "all": ["*"] });
    let scene = Scene::new(json!({ "connectors": of_groups, "default_roles": ["viewer"] })).await;
    for (groups, expected) in [
        (&["backup-team"][..], json!(["contoso"])),
        (&["backup-team", "east"], json!(["contoso", "fabrikam"])),
        (&["east"], json!(["fabrikam"])),
        (&["elsewhere"], json!([])),
        (&["all", "east"], json!(null)),
        (&["backup-team"], json!(["contoso"])),
    ] {
        assert_eq!(reach(&scene, groups).await, expected, "{groups:?}");
    }
}

#[tokio::test]
async fn whom_an_administrator_has_limited_stays_limited_so() {
    let scene = Scene::new(json!({})).await;
    assert_eq!(reach(&scene, &["backup-team"]).await, json!(null));
    let limit = Some(json!({ "connectors": ["fabrikam"] }));
    let limited = scene
        .world
        .send(&scene.root, "PATCH", "/people/dora@contoso.com", limit)
        .await;
    assert_eq!(limited.status, StatusCode::OK, "{}", limited.text);
    assert_eq!(reach(&scene, &["backup-team"]).await, json!(["fabrikam"]));
    // Also once groups decide about others.
    let body = json!({
        "title": "Contoso", "issuer": scene.provider.issuer(), "client_id": "keepward",
        "roles": { "backup-team": ["operator"] }, "connectors": { "backup-team": ["*"] },
    });
    let put = scene
        .world
        .send(
            &scene.root,
            "PUT",
            "/identity-providers/contoso",
            Some(body),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(reach(&scene, &["backup-team"]).await, json!(["fabrikam"]));
}

#[tokio::test]
async fn who_is_in_no_group_stays_out() {
    let scene = Scene::new(json!({})).await;
    assert_eq!(
        scene
            .refused(|claims| claims["groups"] = json!(["others"]))
            .await,
        "sign-in-no-role"
    );
    // Too many groups for a token: it has none.
    let overage = |claims: &mut Value| {
        claims.as_object_mut().unwrap().remove("groups");
        claims["_claim_names"] = json!({ "groups": "src1" });
    };
    assert_eq!(scene.refused(overage).await, "sign-in-groups-left-out");
}

#[tokio::test]
async fn an_account_is_never_taken_over_by_its_name_or_address() {
    let scene = Scene::new(json!({ "default_roles": ["viewer"] })).await;
    let away = scene.leave("/").await;
    let mut claims = scene.claims(&away);
    for member in ["preferred_username", "email", "name"] {
        claims[member] = json!("root");
    }
    let answer = scene.back(&away, claims).await;
    let eve = As::cookie(&answer.cookie("keepward").unwrap());
    let me = scene.world.send(&eve, "GET", "/me", None).await;
    let name = me.json["name"].as_str().unwrap();
    assert!(name.starts_with("root-"), "{name}");
    assert_eq!(me.json["roles"], json!(["operator"]));
}

#[tokio::test]
async fn tokens_that_are_not_for_this_sign_in_are_refused() {
    let scene = Scene::new(json!({ "tenants": ["tenant-1"], "domains": [] })).await;
    let now = scene.world.seconds();
    for (member, value, code) in [
        (
            "iss",
            json!("https://login.example/other"),
            "sign-in-failed",
        ),
        ("aud", json!("another-app"), "sign-in-failed"),
        ("nonce", json!("another"), "sign-in-failed"),
        ("exp", json!(now - 1), "sign-in-failed"),
        ("tid", json!("tenant-2"), "sign-in-mismatch"),
        ("tid", Value::Null, "sign-in-mismatch"),
    ] {
        let told = scene.refused(|claims| claims[member] = value.clone()).await;
        assert_eq!(told, code, "{member} {value}");
    }
    let signed_by_another = Provider::start().await;
    let away = scene.leave("/").await;
    signed_by_another.grant("code", &away.query["code_challenge"], scene.claims(&away));
    let answer = scene
        .arrive(&away.cookie, &away.query["state"], "code")
        .await;
    assert_eq!(answer.header("location"), "/sign-in?error=sign-in-failed");
}

#[tokio::test]
async fn only_verified_addresses_of_the_domain_come_in() {
    let scene = Scene::new(json!({ "domains": ["contoso.com"] })).await;
    let address = |email: &'static str, verified: bool| {
        move |claims: &mut Value| {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(verified);
        }
    };
    assert_eq!(
        scene.refused(address("dora@contoso.com", false)).await,
        "sign-in-mismatch"
    );
    assert_eq!(
        scene
            .refused(address("dora@contoso.com.evil.example", true))
            .await,
        "sign-in-mismatch"
    );
    let away = scene.leave("/").await;
    let mut claims = scene.claims(&away);
    address("dora@CONTOSO.com", true)(&mut claims);
    assert!(scene.back(&away, claims).await.cookie("keepward").is_some());
}

#[tokio::test]
async fn a_code_or_state_is_good_once_and_in_its_browser() {
    let scene = Scene::new(json!({})).await;
    let away = scene.leave("/").await;
    let claims = scene.claims(&away);
    assert!(
        scene
            .back(&away, claims.clone())
            .await
            .cookie("keepward")
            .is_some()
    );
    let again = scene.back(&away, claims).await;
    assert_eq!(
        (again.cookie("keepward"), again.header("location")),
        (None, "/sign-in?error=sign-in-mismatch")
    );
    // The attacker's own sign-in, finished in the victim's browser.
    let (attacker, victim) = (scene.leave("/").await, scene.leave("/").await);
    scene.provider.grant(
        "code",
        &attacker.query["code_challenge"],
        scene.claims(&attacker),
    );
    for cookie in [victim.cookie.as_str(), "", "keepward-sign-in=x"] {
        let answer = scene.arrive(cookie, &attacker.query["state"], "code").await;
        assert_eq!(
            (answer.cookie("keepward"), answer.header("location")),
            (None, "/sign-in?error=sign-in-mismatch")
        );
    }
    // A stolen code in another sign-in fails at the provider, since PKCE binds it.
    scene.provider.grant(
        "stolen",
        &attacker.query["code_challenge"],
        scene.claims(&attacker),
    );
    let answer = scene
        .arrive(&victim.cookie, &victim.query["state"], "stolen")
        .await;
    assert_eq!(
        (answer.cookie("keepward"), answer.header("location")),
        (None, "/sign-in?error=sign-in-failed")
    );
    let late = scene.leave("/").await;
    let claims = scene.claims(&late);
    scene.world.pass(15 * 60);
    assert_eq!(
        scene.back(&late, claims).await.header("location"),
        "/sign-in?error=sign-in-mismatch"
    );
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_afterwards() {
    let scene = Scene::new(json!({})).await;
    for path in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "javascript:alert(1)",
        "%09//evil.example",
    ] {
        let answer = scene
            .world
            .send(
                &As::nobody(),
                "GET",
                &format!("/sign-in/contoso?return_to={path}"),
                None,
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/sign-in?error=request-malformed"),
            "{path}"
        );
        assert_eq!(answer.cookie("keepward-sign-in"), None);
    }
}

/// A browser that follows a link or comes back can show pages alone, and whoever wrote the address must not choose what they say.
#[tokio::test]
async fn what_fails_on_either_way_is_told_by_the_sign_in_page_as_a_code_alone() {
    let scene = Scene::new(json!({})).await;
    let get = async |path: &str| {
        let answer = scene.world.send(&As::nobody(), "GET", path, None).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(answer.cookie("keepward"), None);
        let location = answer.header("location").to_owned();
        location.strip_prefix("/sign-in?error=").unwrap().to_owned()
    };
    let told = get("/sign-in/nothing%0d%0aLocation:%20https:%2f%2fevil.example").await;
    assert_eq!(told, "identity-provider-unknown");
    let back = "/sign-in/contoso/callback";
    for query in [
        "",
        "?error=https://evil.example",
        "?error=access_denied&error_description=%3Cscript%3E",
        "?state=a&state=b",
        "?return_to=https://evil.example",
    ] {
        let told = get(&format!("{back}{query}")).await;
        assert!(
            matches!(told.as_str(), "sign-in-mismatch" | "request-malformed"),
            "{query}: {told}"
        );
    }
    // Nobody left for any of these: whoever sends them for ever must not fill the log that nothing can be taken out of.
    let noted = scene.world.actions().await;
    assert!(!noted.contains(&"session.refused".to_owned()), "{noted:?}");
    // The provider goes away while somebody is there.
    let away = scene.leave("/").await;
    let nowhere = json!({ "title": "x", "issuer": "http://127.0.0.1:1", "client_id": "keepward" });
    let put = scene
        .world
        .send(
            &scene.root,
            "PUT",
            "/identity-providers/contoso",
            Some(nowhere),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let answer = scene
        .arrive(&away.cookie, &away.query["state"], "code")
        .await;
    assert_eq!(
        answer.header("location"),
        "/sign-in?error=identity-provider-away"
    );
    assert_eq!(get("/sign-in/contoso").await, "identity-provider-away");
}

#[tokio::test]
async fn an_issuer_in_clear_text_is_refused_and_its_secret_is_never_told() {
    let scene = Scene::new(json!({})).await;
    for issuer in [
        "http://login.example",
        "ftp://login.example",
        "https://u:p@login.example",
        "login",
    ] {
        let body = json!({ "title": "x", "issuer": issuer, "client_id": "x" });
        let refused = scene
            .world
            .send(&scene.root, "PUT", "/identity-providers/x", Some(body))
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{issuer}");
    }
    let secret = json!({ "client_secret": "planted-secret" });
    let put = scene
        .world
        .send(
            &scene.root,
            "PUT",
            "/identity-providers/contoso/client-secret",
            Some(secret),
        )
        .await;
    assert_eq!(put.status, StatusCode::NO_CONTENT);
    for path in ["/identity-providers", "/audit", "/sign-in"] {
        assert!(
            !scene
                .world
                .send(&scene.root, "GET", path, None)
                .await
                .text
                .contains("planted-secret")
        );
    }
    let gone = scene
        .world
        .send(&scene.root, "DELETE", "/identity-providers/contoso", None)
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let left = scene
        .world
        .send(&As::nobody(), "GET", "/sign-in/contoso", None)
        .await;
    assert_eq!(
        left.header("location"),
        "/sign-in?error=identity-provider-unknown"
    );
}

const TENANT: &str = "11111111-6ef8-4bc4-8d1c-6b7c2fb1d2aa";

impl Scene {
    /// An issuer for the people of all organizations, of which one tenant may come in.
    async fn of_many_tenants() -> Self {
        let scene = Self::new(json!({})).await;
        let issuer = format!("{}/organizations/v2.0", scene.provider.issuer());
        let mut body = json!({
            "title": "Contoso", "issuer": issuer, "client_id": "keepward", "roles": { "backup-team": ["operator"] },
        });
        let path = "/identity-providers/contoso";
        let refused = scene
            .world
            .send(&scene.root, "PUT", path, Some(body.clone()))
            .await;
        assert_eq!(refused.status, 422, "any tenant: {}", refused.text);
        body["tenants"] = json!([TENANT]);
        let put = scene.world.send(&scene.root, "PUT", path, Some(body)).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
        scene
    }

    fn of_tenant(&self, claims: &mut Value, issuer: &str, tenant: &str) {
        claims["iss"] = json!(format!("{}/{issuer}/v2.0", self.provider.issuer()));
        claims["tid"] = json!(tenant);
    }
}

#[tokio::test]
async fn people_of_named_tenants_come_in_by_an_issuer_for_all_organizations() {
    let scene = Scene::of_many_tenants().await;
    let away = scene.leave("/").await;
    let mut claims = scene.claims(&away);
    scene.of_tenant(&mut claims, TENANT, TENANT);
    let answer = scene.back(&away, claims).await;
    assert!(
        answer.cookie("keepward").is_some(),
        "{}",
        answer.header("location")
    );

    let other = "22222222-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
    for (issuer, tenant) in [
        (other, other),
        (other, TENANT),
        (TENANT, other),
        ("{tenantid}", TENANT),
        ("organizations", TENANT),
    ] {
        let code = scene
            .refused(|claims| scene.of_tenant(claims, issuer, tenant))
            .await;
        assert!(
            matches!(code.as_str(), "sign-in-failed" | "sign-in-mismatch"),
            "{issuer} {tenant}: {code}"
        );
    }
    let code = scene
        .refused(|claims| {
            scene.of_tenant(claims, "", "");
        })
        .await;
    assert_eq!(code, "sign-in-failed");
}

#[tokio::test]
async fn who_is_in_too_many_groups_for_a_token_is_told_so() {
    let scene = Scene::new(json!({ "default_roles": ["viewer"] })).await;
    let code = scene
        .refused(|claims| {
            claims.as_object_mut().unwrap().remove("groups");
            claims["_claim_names"] = json!({ "groups": "src1" });
            claims["_claim_sources"] =
                json!({ "src1": { "endpoint": "https://graph.example/getMemberObjects" } });
        })
        .await;
    assert_eq!(code, "sign-in-groups-left-out");
}
