//! Sign-in to this server at Entra ID, as the simulator plays it: groups give roles, and one tenant does not stand for another.

use jiff::Timestamp;
use model::Role;
use serde_json::{Value, json};
use simulator::{Seed, Simulator};
use url::Url;

use crate::harness::{Answer, As, World};

const CALLBACK: &str = "http://127.0.0.1:8480/api/v1/sign-in/contoso/callback";
const SECRET: &str = "secret~of the server";

struct Scene {
    world: World,
    root: As,
    simulator: Simulator,
    browser: reqwest::Client,
    client: String,
}

impl Scene {
    async fn new() -> Self {
        let options = simulator::Options {
            listen: ([127, 0, 0, 1], 0).into(),
            data: None,
            seed: Seed::Small,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let world = World::new().await;
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator lives by the machine's clock"
        )]
        world.pass(Timestamp::now().as_second() - world.seconds());
        let app = json!({"name": "Keepward", "multiTenant": true, "redirects": [CALLBACK]});
        let made = simulator.control("apps", &app).unwrap();
        let client = made["clientId"].as_str().unwrap().to_owned();
        let secret = json!({"client": client, "value": SECRET});
        simulator.control("secrets", &secret).unwrap();
        let root = world.with("root", &[Role::Admin]).await;
        let browser = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            world,
            root,
            simulator,
            browser,
            client,
        }
    }

    /// Sets the provider to what has these tokens, with roles for this group.
    async fn provide(&self, tenant: &str, group: &str) -> Answer {
        let body = json!({
            "title": "Contoso",
            "issuer": format!("{}/{tenant}/v2.0", self.simulator.authority()),
            "client_id": self.client,
            "roles": { group: ["operator"] },
        });
        let path = "/identity-providers/contoso";
        let put = self.world.send(&self.root, "PUT", path, Some(body)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        assert_eq!(put.json["redirect_uri"], CALLBACK);
        let secret = json!({ "client_secret": SECRET });
        let put = self
            .world
            .send(
                &self.root,
                "PUT",
                &format!("{path}/client-secret"),
                Some(secret),
            )
            .await;
        assert_eq!(put.status, 204, "{}", put.text);
        put
    }

    /// The id of a group that the person is in.
    async fn group_of(&self, person: &str) -> String {
        let wanted = json!({"resource": "00000003-0000-0000-c000-000000000000", "person": person, "scopes": ["User.Read.All", "GroupMember.Read.All", "Directory.Read.All"]});
        let made = self.simulator.control("tokens", &wanted).unwrap();
        let token = made["token"].as_str().unwrap();
        let address = format!("{}/v1.0/users/{person}/memberOf", self.simulator.graph());
        let answer = self
            .browser
            .get(address)
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let groups: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        groups["value"][0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{groups}"))
            .to_owned()
    }

    /// Leaves for the provider: the cookie of the browser, and the address of the sign-in page.
    async fn leave(&self) -> (String, Url) {
        let answer = self
            .world
            .send(
                &As::nobody(),
                "GET",
                "/sign-in/contoso?return_to=/runs",
                None,
            )
            .await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let to = Url::parse(answer.header("location")).unwrap();
        (answer.cookie("keepward-sign-in").unwrap(), to)
    }

    /// The person signs in on the page; where it sends the browser.
    async fn signed_in(&self, person: &str, page: Url) -> Url {
        self.simulator.sign_in_at_once(person);
        let answer = self.browser.get(page).send().await.unwrap();
        let status = answer.status();
        let location = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        let Some(location) = location else {
            panic!("{status}: {}", answer.text().await.unwrap())
        };
        let back = Url::parse(&location).unwrap();
        assert!(location.starts_with(CALLBACK), "{location}");
        back
    }

    async fn arrive(&self, cookie: &str, back: &Url) -> Answer {
        let who = As::nobody()
            .with("cookie", cookie)
            .with("sec-fetch-site", "cross-site");
        let path = format!("/sign-in/contoso/callback?{}", back.query().unwrap());
        self.world.send(&who, "GET", &path, None).await
    }

    async fn refused(&self, cookie: &str, back: &Url) -> String {
        let answer = self.arrive(cookie, back).await;
        assert_eq!(answer.cookie("keepward"), None, "somebody came in");
        let location = answer.header("location");
        location
            .strip_prefix("/sign-in?error=")
            .unwrap_or_else(|| panic!("{location} {}", answer.text))
            .to_owned()
    }
}

#[tokio::test]
async fn groups_of_the_tenant_give_roles() {
    let scene = Scene::new().await;
    let person = scene.simulator.person();
    let group = scene.group_of(person).await;
    scene.provide(&scene.simulator.tenant(), &group).await;
    let (cookie, page) = scene.leave().await;
    let back = scene.signed_in(person, page).await;
    let answer = scene.arrive(&cookie, &back).await;
    assert_eq!(answer.header("location"), "/runs", "{}", answer.text);
    let session = As::cookie(&answer.cookie("keepward").unwrap());
    let me = scene.world.send(&session, "GET", "/me", None).await;
    assert_eq!(
        (&me.json["name"], &me.json["roles"]),
        (&json!(person), &json!(["operator"]))
    );
    // Neither the state nor the code is good twice.
    assert_eq!(scene.refused(&cookie, &back).await, "sign-in-mismatch");
}

#[tokio::test]
async fn who_is_in_none_of_the_groups_stays_out() {
    let scene = Scene::new().await;
    scene
        .provide(
            &scene.simulator.tenant(),
            "00000000-0000-4000-8000-000000000000",
        )
        .await;
    let (cookie, page) = scene.leave().await;
    let back = scene.signed_in(scene.simulator.person(), page).await;
    assert_eq!(scene.refused(&cookie, &back).await, "sign-in-no-role");
}

/// Somebody of another tenant, whose administrator names groups as they like, changes the tenant in the address of the sign-in page.
#[tokio::test]
async fn a_sign_in_in_another_tenant_is_not_one_in_this() {
    let scene = Scene::new().await;
    let (own, other) = (scene.simulator.tenant(), scene.simulator.other_tenant());
    let stranger = "oscar.ward@fabrikam.example";
    let group = scene.group_of("admin@contoso.example").await;
    scene.provide(&own, &group).await;
    let granted = json!({"client": scene.client, "tenant": other});
    scene.simulator.control("consents", &granted).unwrap();
    for substitute in [other.as_str(), "organizations", "common"] {
        let (cookie, page) = scene.leave().await;
        let page = Url::parse(&page.as_str().replace(&own, substitute)).unwrap();
        let back = scene.signed_in(stranger, page).await;
        assert_eq!(
            scene.refused(&cookie, &back).await,
            "sign-in-failed",
            "{substitute}"
        );
    }
}

/// `organizations` is everybody's tenant: what it says of itself is no issuer that a token could have.
#[tokio::test]
async fn an_issuer_of_all_tenants_lets_nobody_in() {
    let scene = Scene::new().await;
    let body = json!({
        "title": "Everybody",
        "issuer": format!("{}/organizations/v2.0", scene.simulator.authority()),
        "client_id": scene.client,
        "roles": { "any": ["operator"] },
    });
    let path = "/identity-providers/contoso";
    let put = scene.world.send(&scene.root, "PUT", path, Some(body)).await;
    assert_eq!(put.status, 422, "{}", put.text);
    assert_eq!(put.json["errors"][0]["pointer"], "/tenants");
    let answer = scene
        .world
        .send(&As::nobody(), "GET", "/sign-in/contoso", None)
        .await;
    assert!(
        answer.header("location").starts_with("/sign-in?error="),
        "{}",
        answer.text
    );
    assert_eq!(answer.cookie("keepward-sign-in"), None);
}

#[tokio::test]
async fn a_stolen_code_is_of_no_use_in_another_browser() {
    let scene = Scene::new().await;
    let person = scene.simulator.person();
    let group = scene.group_of(person).await;
    scene.provide(&scene.simulator.tenant(), &group).await;
    let (_, page) = scene.leave().await;
    let stolen = scene.signed_in(person, page).await;
    let (cookie, page) = scene.leave().await;
    // With the state of the thief's own sign-in: the code was for another challenge.
    let state = page
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let mut back = stolen.clone();
    back.query_pairs_mut().clear();
    for (name, value) in stolen.query_pairs() {
        let value = if name == "state" {
            state.clone().into()
        } else {
            value
        };
        back.query_pairs_mut().append_pair(&name, &value);
    }
    assert_eq!(scene.refused(&cookie, &stolen).await, "sign-in-mismatch");
    assert_eq!(scene.refused(&cookie, &back).await, "sign-in-failed");
}
