//! A person signs in: by code, by device code; an administrator consents.

use model::{Class, Secret, SignIn};
use serde_json::json;
use service::Error;
use service::entra::{
    AdminConsent, AppProof, CodeFlow, DeviceFlow, DevicePoll, Entra, Prompt, Return, SignedIn,
};
use service::http::Url;

use crate::fake::{Fake, refusal};
use crate::world::{CLIENT, SCOPE, TENANT, app, entra};

fn redirect() -> Url {
    "https://keepward.example/api/v1/sign-in/return"
        .parse()
        .unwrap()
}

fn begin(entra: &Entra, tenant: &str) -> (CodeFlow, Url) {
    CodeFlow::begin(entra, &app(tenant), SCOPE, &redirect(), Prompt::Nothing).unwrap()
}

async fn complete(entra: &Entra, flow: CodeFlow, query: &str) -> Result<SignedIn, Error> {
    flow.complete(entra, &Return::parse(query), None).await
}

#[tokio::test]
async fn a_sign_in_by_code_takes_one_request_and_survives_a_restart() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    let (flow, address) = begin(&library, "organizations");
    let kept = flow.keep().unwrap();
    assert!(!format!("{flow:?}").contains(flow.state()));
    drop(flow);
    let flow = CodeFlow::resume(&kept).unwrap();
    let signed = complete(&library, flow, &fake.agree(address.as_str()))
        .await
        .unwrap();
    assert_eq!(fake.inner().seen.len(), 1, "the protocol needs one");
    assert_eq!(signed.account, "ada@contoso.com");
    let SignIn::User { app, .. } = signed.sign_in() else {
        panic!("a person signed in");
    };
    assert_eq!(app.tenant, TENANT, "the tenant is known now");
    let (source, store) = signed.source(&library).unwrap();
    source.token(SCOPE).await.unwrap();
    assert_eq!(
        fake.inner().seen.len(),
        1,
        "the token of the sign-in is used"
    );
    fake.clock.advance(3600);
    source.token(SCOPE).await.unwrap();
    assert_ne!(store.get().unwrap().expose(), signed.refresh.expose());
}

#[test]
fn sre_20_another_account_can_be_asked_for() {
    let fake = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(Fake::start());
    let library = entra(&fake);
    for (prompt, expected) in [
        (Prompt::Nothing, None),
        (Prompt::Account, Some("select_account")),
        (Prompt::Consent, Some("consent")),
    ] {
        let (_, address) =
            CodeFlow::begin(&library, &app("organizations"), SCOPE, &redirect(), prompt).unwrap();
        let asked = address.query_pairs().find(|(name, _)| name == "prompt");
        assert_eq!(
            asked.map(|(_, value)| value.into_owned()).as_deref(),
            expected
        );
    }
}

#[tokio::test]
async fn a_code_is_taken_once() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    let (flow, address) = begin(&library, TENANT);
    let (kept, query) = (flow.keep().unwrap(), fake.agree(address.as_str()));
    complete(&library, flow, &query).await.unwrap();
    let again = CodeFlow::resume(&kept).unwrap();
    let error = complete(&library, again, &query).await.err().unwrap();
    assert_eq!(
        (error.code, error.class),
        ("sign-in-failed", Class::Credential)
    );
    assert!(!format!("{error:?}").contains("code-1"));
}

#[tokio::test]
async fn an_answer_to_another_sign_in_is_refused_unsent() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    let (_, others) = begin(&library, TENANT);
    let stolen = fake.agree(others.as_str());
    for query in [
        stolen.as_str(),
        "code=x",
        "code=x&state=",
        "error=access_denied&state=wrong",
    ] {
        let (flow, _) = begin(&library, TENANT);
        let error = complete(&library, flow, query).await.err().unwrap();
        assert_eq!(error.code, "sign-in-mismatch", "{query}");
    }
    assert_eq!(fake.inner().seen.len(), 0);
}

#[tokio::test]
async fn an_identity_of_elsewhere_is_refused() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    let other = "33333333-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
    let personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let issuer = |tenant: &str| format!("{}/{tenant}/v2.0", fake.url);
    for (twist, code) in [
        (json!({"nonce": "other"}), "sign-in-mismatch"),
        (json!({"aud": "other"}), "sign-in-mismatch"),
        (
            json!({"tid": other, "iss": issuer(other)}),
            "sign-in-mismatch",
        ),
        (json!({"exp": 1}), "sign-in-mismatch"),
        (
            json!({"tid": personal, "iss": issuer(personal)}),
            "account-personal",
        ),
    ] {
        fake.inner().twist = twist.clone();
        let (flow, address) = begin(&library, TENANT);
        let error = complete(&library, flow, &fake.agree(address.as_str()))
            .await
            .err()
            .unwrap();
        assert_eq!(error.code, code, "{twist}");
    }
}

#[tokio::test]
async fn what_the_sign_in_page_refuses_is_said_in_words() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    for (query, code) in [
        (
            "error=access_denied&error_description=AADSTS65004%3A%20declined",
            "consent-missing",
        ),
        (
            "error=interaction_required&error_description=AADSTS53003%3A%20blocked",
            "conditional-access",
        ),
        (
            "error=access_denied&error_description=AADSTS90094%3A%20admin",
            "consent-missing",
        ),
        (
            "error=invalid_request&error_description=AADSTS50020%3A%20guest",
            "account-refused",
        ),
        ("error=server_error", "sign-in-failed"),
    ] {
        let (flow, _) = begin(&library, TENANT);
        let query = format!("{query}&state={}", flow.state());
        let error = complete(&library, flow, &query).await.err().unwrap();
        assert_eq!(error.code, code, "{query}");
        assert!(error.hint.is_some_and(|hint| !hint.is_empty()));
    }
}

async fn device(fake: &Fake) -> (Entra, DeviceFlow) {
    let library = entra(fake);
    let flow = DeviceFlow::start(&library, &app("organizations"), SCOPE)
        .await
        .unwrap();
    (library, flow)
}

#[tokio::test]
async fn a_device_code_is_polled_no_faster_than_told() {
    let fake = Fake::start().await;
    let (library, mut flow) = device(&fake).await;
    assert_eq!(flow.prompt().user_code, "ABCD-EFGH");
    fake.inner().trouble.extend([
        refusal("authorization_pending", 70016),
        (400, json!({"error": "slow_down"})),
        (503, json!({})),
    ]);
    let mut polls = 0;
    let mut seconds = 0;
    let signed = loop {
        match flow.poll(&library, None).await.unwrap() {
            DevicePoll::Done(signed) => break signed,
            DevicePoll::Pending { .. } => {
                // It is kept by the server between two polls.
                flow = DeviceFlow::resume(&flow.keep().unwrap()).unwrap();
                fake.clock.advance(1);
                seconds += 1;
                polls += 1;
            }
        }
        assert!(polls < 100);
    };
    assert_eq!(signed.account, "ada@contoso.com");
    assert_eq!(
        fake.inner().seen.len(),
        5,
        "one for the code, four for the polls"
    );
    assert_eq!(seconds, 5 + 5 + 10 + 15);
}

#[tokio::test]
async fn xm_08_each_end_of_a_device_code_has_its_own_words() {
    let mut titles = Vec::new();
    for (answer, code) in [
        (refusal("authorization_declined", 0), "device-code-declined"),
        (refusal("access_denied", 0), "device-code-declined"),
        (
            refusal("bad_verification_code", 70018),
            "device-code-unknown",
        ),
        (refusal("expired_token", 70020), "device-code-expired"),
        (refusal("access_denied", 53003), "conditional-access"),
    ] {
        let fake = Fake::start().await;
        let (library, mut flow) = device(&fake).await;
        fake.clock.advance(5);
        fake.inner().trouble.push_back(answer);
        let error = flow.poll(&library, None).await.err().unwrap();
        assert_eq!(error.code, code);
        let hint = error.hint.unwrap();
        assert!(
            hint.contains("admin-consent link") && hint.contains("certificate"),
            "{hint}"
        );
        titles.push(error.message);
    }
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 4);
}

#[tokio::test]
async fn a_device_code_of_an_app_that_keeps_a_secret_is_redeemed_with_it() {
    let fake = Fake::start().await;
    let (library, mut flow) = device(&fake).await;
    fake.clock.advance(5);
    let proof = AppProof::Secret(Secret::new("the-apps-own"));
    let polled = flow.poll(&library, Some(&proof)).await.unwrap();
    assert!(matches!(polled, DevicePoll::Done(_)));
    let seen = fake.inner().seen.last().cloned().unwrap();
    assert!(
        format!("{seen:?}").contains("the-apps-own"),
        "the proof is sent"
    );
}

#[tokio::test]
async fn xm_08_an_expired_device_code_is_not_asked_about() {
    let fake = Fake::start().await;
    let (library, mut flow) = device(&fake).await;
    fake.clock.advance(900);
    let error = flow.poll(&library, None).await.err().unwrap();
    assert_eq!(error.code, "device-code-expired");
    assert_eq!(fake.inner().seen.len(), 1);
}

#[tokio::test]
async fn an_application_without_public_client_flows_is_told_so() {
    let fake = Fake::start().await;
    fake.inner()
        .trouble
        .push_back(refusal("invalid_client", 7_000_218));
    let error = DeviceFlow::start(&entra(&fake), &app("organizations"), SCOPE)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code, "public-client-off");
}

#[tokio::test]
async fn a_consent_counts_for_the_tenant_that_was_asked() {
    let fake = Fake::start().await;
    let library = entra(&fake);
    let other = "33333333-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
    for (asked, query, expected) in [
        (
            "contoso.com",
            format!("admin_consent=True&tenant={TENANT}"),
            Ok(TENANT),
        ),
        (
            TENANT,
            format!("admin_consent=True&tenant={}", TENANT.to_uppercase()),
            Ok(TENANT),
        ),
        (
            "organizations",
            format!("admin_consent=True&tenant={other}"),
            Ok(other),
        ),
        (
            TENANT,
            format!("admin_consent=True&tenant={other}"),
            Err("sign-in-mismatch"),
        ),
        (
            "contoso.com",
            format!("admin_consent=True&tenant={other}"),
            Err("sign-in-mismatch"),
        ),
        (
            "organizations",
            "admin_consent=True&tenant=evil.example".to_owned(),
            Err("sign-in-mismatch"),
        ),
        (TENANT, format!("tenant={TENANT}"), Err("consent-missing")),
        (
            TENANT,
            "error=access_denied&error_description=AADSTS65004".to_owned(),
            Err("consent-missing"),
        ),
    ] {
        let (consent, address) = AdminConsent::begin(&library, &app(asked), &redirect())
            .await
            .unwrap();
        assert!(address.query().unwrap().contains(CLIENT));
        let kept: Secret = consent.keep().unwrap();
        let back = Return::parse(&format!("{query}&state={}", consent.state()));
        let found = AdminConsent::resume(&kept).unwrap().complete(&back);
        assert_eq!(
            found.as_deref().map_err(|error| error.code),
            expected,
            "{asked} {query}"
        );
        let stolen = Return::parse(&format!("{query}&state=other"));
        assert_eq!(
            consent.complete(&stolen).err().unwrap().code,
            "sign-in-mismatch"
        );
    }
}

/// What is kept is what the wizard stores: a mangled one is an error, not a panic, and is not quoted.
#[test]
fn a_kept_sign_in_that_is_not_one_is_refused() {
    let error = CodeFlow::resume(&Secret::new("{\"verifier\":\"s3cr3t\"}"))
        .err()
        .unwrap();
    assert!(!format!("{error:?}").contains("s3cr3t"));
}
