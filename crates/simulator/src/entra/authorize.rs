//! Sign-in and consent in the browser.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use uuid::Uuid;

use super::app::{Resource, Wanted};
use super::discovery::ANY;
use super::page::{self, escape};
use super::route::Request;
use super::tenant::{Principal, Tenant, User};
use super::{App, Refused, State};
use crate::server::{Query, Reply};

/// An authorization code.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub tenant: Uuid,
    pub client: Uuid,
    pub user: Uuid,
    pub redirect: String,
    pub scope: String,
    pub nonce: Option<String>,
    /// PKCE: the challenge, and whether it is a hash.
    pub challenge: Option<(String, bool)>,
    pub expires: i64,
    pub used: bool,
}

/// Accounts of people without an organization.
const PERSONAL: [&str; 4] = ["outlook.com", "hotmail.com", "live.com", "gmail.com"];

/// Where the answer goes.
struct Return {
    address: String,
    mode: String,
    state: Option<String>,
}

impl Return {
    fn of(query: &Query) -> Self {
        Self {
            address: query.get("redirect_uri").unwrap_or_default().to_owned(),
            mode: query.get("response_mode").unwrap_or("query").to_owned(),
            state: query.get("state").map(str::to_owned),
        }
    }

    fn reply(&self, mut pairs: Vec<(&str, String)>) -> Reply {
        if let Some(state) = &self.state {
            pairs.push(("state", state.clone()));
        }
        if self.mode == "form_post" {
            let field = |(name, value): &(&str, String)| {
                let value = escape(value);
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
            };
            let fields = pairs.iter().map(field).collect::<Vec<_>>().concat();
            return page::html(
                StatusCode::OK,
                "Working...",
                &format!(
                    "<form method=\"POST\" name=\"hiddenform\" action=\"{}\">{fields}<button>Continue</button></form><script>document.forms[0].submit()</script>",
                    escape(&self.address)
                ),
            );
        }
        let Ok(mut url) = url::Url::parse(&self.address) else {
            return page::error("The reply address is no URL.");
        };
        if self.mode == "fragment" {
            let text = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            url.set_fragment(Some(&text));
        } else {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Reply::status(StatusCode::FOUND).header("location", url.as_str())
    }

    fn refuse(&self, state: &mut State, refused: &Refused) -> Reply {
        let (trace, correlation, now) = (state.ids.guid(), state.ids.guid(), state.now());
        self.reply(vec![
            ("error", refused.error.to_owned()),
            (
                "error_description",
                refused.description(trace, correlation, now),
            ),
            (
                "error_uri",
                format!(
                    "https://login.microsoftonline.com/error?code={}",
                    refused.code
                ),
            ),
        ])
    }
}

/// Who may sign in to an app at a tenant: the ids of the tenant and of the person.
pub(super) fn admit(
    state: &State,
    tenant: &str,
    client: Uuid,
    name: &str,
) -> Result<(Uuid, Uuid), Refused> {
    let app = state.apps.iter().find(|app| app.id == client);
    let app = app.ok_or_else(|| Refused::no_app(&client.to_string(), tenant))?;
    let (found, user) = known(state, app, tenant, name)?;
    if found.id != app.home && !app.multi_tenant {
        return Err(Refused::no_app(&client.to_string(), &found.name));
    }
    if !user.is_enabled() {
        return Err(Refused::new(
            "invalid_grant",
            50_057,
            "The user account is disabled.",
        ));
    }
    if user.blocked || found.rules.blocks_everyone {
        return Err(Refused::conditional_access());
    }
    if found
        .principals
        .get(&client)
        .is_some_and(|own| own.disabled)
    {
        return Err(Refused::new(
            "unauthorized_client",
            7_000_112,
            format!("Application '{client}'({}) is disabled.", app.name),
        ));
    }
    Ok((found.id, user.id))
}

/// The tenant that somebody signs in at, and who that is there: at home where no tenant is named, else as member or guest.
fn known<'a>(
    state: &'a State,
    app: &App,
    tenant: &str,
    name: &str,
) -> Result<(&'a Tenant, &'a User), Refused> {
    let home = state.person(name);
    let (place, found) = if ANY.contains(&tenant) {
        if !app.multi_tenant {
            return Err(Refused::new(
                "invalid_request",
                50_194,
                format!(
                    "Application '{}'({}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
                    app.id, app.name
                ),
            ));
        }
        ("Microsoft Services", home)
    } else {
        let found = state
            .tenant_named(tenant)
            .ok_or_else(|| Refused::no_tenant(tenant))?;
        let user = found.user(name).or_else(|| found.guest(name));
        (found.name.as_str(), user.map(|user| (found, user)))
    };
    found.ok_or_else(|| match home {
        Some((home, _)) => {
            let provider = format!("https://sts.windows.net/{}/", home.id);
            foreign(app, name, &provider, place)
        }
        None if is_personal(name) => foreign(app, name, "live.com", place),
        None => Refused::new(
            "invalid_request",
            50_034,
            format!(
                "The user account {name} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory."
            ),
        ),
    })
}

fn is_personal(name: &str) -> bool {
    let name = name.to_lowercase();
    PERSONAL
        .iter()
        .any(|domain| name.ends_with(&format!("@{domain}")))
}

fn foreign(app: &App, name: &str, provider: &str, place: &str) -> Refused {
    Refused::new(
        "invalid_request",
        50_020,
        format!(
            "User account '{name}' from identity provider '{provider}' does not exist in tenant '{place}' and cannot access the application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
            app.id, app.name
        ),
    )
}

impl State {
    /// Notes that a person agreed to what an app asks for, if that is theirs to give.
    pub(super) fn consent(
        &mut self,
        tenant: Uuid,
        client: Uuid,
        user: Uuid,
        asked: &BTreeSet<String>,
        for_all: bool,
    ) -> Result<(), Refused> {
        let id = self.ids.guid();
        let Some(tenant) = self.tenants.iter_mut().find(|own| own.id == tenant) else {
            return Ok(());
        };
        let granted = tenant.granted(client, user);
        let missing: BTreeSet<String> = asked.difference(&granted).cloned().collect();
        let administrator = tenant
            .user_by_id(user)
            .is_some_and(|user| user.administrator);
        let needs = !missing.is_empty()
            && (!tenant.rules.user_consent
                || missing.iter().any(|scope| needs_administrator(scope)));
        if needs && !administrator {
            return Err(Refused::needs_administrator(client));
        }
        let principal = tenant
            .principals
            .entry(client)
            .or_insert_with(|| Principal {
                id,
                ..Principal::default()
            });
        if for_all && administrator {
            principal.for_all.extend(asked.iter().cloned());
        } else {
            principal.by_person.entry(user).or_default().extend(missing);
        }
        Ok(())
    }

    /// An administrator grants everything that the app declares, in a tenant, for everyone.
    pub(super) fn grant_all(&mut self, tenant: Uuid, client: Uuid) {
        let id = self.ids.guid();
        let Some(app) = self.apps.iter().find(|app| app.id == client) else {
            return;
        };
        if let Some(tenant) = self.tenants.iter_mut().find(|own| own.id == tenant) {
            let principal = tenant
                .principals
                .entry(client)
                .or_insert_with(|| Principal {
                    id,
                    ..Principal::default()
                });
            principal.for_all.extend(app.scopes.iter().cloned());
            principal.roles.extend(app.roles.iter().cloned());
        }
    }
}

/// `scope` is `{resource id}/{name}`.
fn needs_administrator(scope: &str) -> bool {
    scope
        .split_once('/')
        .and_then(|(resource, name)| Some(Resource::named(resource)?.needs_administrator(name)))
        .unwrap_or(false)
}

/// The app of a request in the browser, whose answers may go to the address in it.
fn app_of<'a>(state: &'a State, query: &Query, tenant: &str) -> Result<&'a App, Refused> {
    let client = query.get("client_id").unwrap_or_default();
    let address = query.get("redirect_uri").unwrap_or_default();
    if !ANY.contains(&tenant) && state.tenant_named(tenant).is_none() {
        return Err(Refused::no_tenant(tenant));
    }
    let app = state
        .app(client)
        .ok_or_else(|| Refused::no_app(client, tenant))?;
    if !app.may_return_to(address) {
        return Err(Refused::new(
            "invalid_request",
            50_011,
            format!(
                "The redirect URI '{address}' specified in the request does not match the redirect URIs configured for the application '{client}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."
            ),
        ));
    }
    Ok(app)
}

fn show(state: &mut State, refused: &Refused) -> Reply {
    let (trace, correlation, now) = (state.ids.guid(), state.ids.guid(), state.now());
    page::error(&refused.description(trace, correlation, now))
}

/// `{tenant}/oauth2/v2.0/authorize`.
pub(super) fn page(state: &mut State, request: &Request, tenant: &str) -> Reply {
    let query = &request.query;
    let client = match app_of(state, query, tenant) {
        Ok(app) => app.id,
        Err(refused) => return show(state, &refused),
    };
    let back = Return::of(query);
    if let Err(refused) = check(query) {
        return back.refuse(state, &refused);
    }
    if request.method == Method::POST {
        submitted(state, request, tenant, client, &back)
    } else {
        opened(state, request, tenant, client, &back)
    }
}

/// The page was sent back: somebody has named an account, and accepted or not.
fn submitted(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
    back: &Return,
) -> Reply {
    if request.form.get("choice") != Some("accept") {
        return back.refuse(state, &declined());
    }
    let session = state.settings.signed_in.clone();
    let Some(login) = request.form.get("login").map(str::to_owned).or(session) else {
        return form(state, request, client, None);
    };
    let all = request.form.get("for_all").is_some();
    let consent = Consent::Given { all };
    match finish(state, &request.query, tenant, client, &login, consent) {
        Ok(pairs) => back.reply(pairs),
        Err(refused) => show(state, &refused),
    }
}

/// The address was opened: who has a session may get through without a page.
fn opened(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
    back: &Return,
) -> Reply {
    let query = &request.query;
    let prompt = query.get("prompt").unwrap_or_default();
    let silent = prompt == "none";
    let Some(login) = state.settings.signed_in.clone() else {
        if silent {
            let refused = Refused::new(
                "login_required",
                50_058,
                "A silent sign-in request was sent but no user is signed in.",
            );
            return back.refuse(state, &refused);
        }
        return form(state, request, client, query.get("login_hint"));
    };
    let at_once = state.settings.at_once;
    if !at_once && matches!(prompt, "login" | "select_account" | "consent" | "create") {
        return form(state, request, client, Some(&login));
    }
    let consent = if at_once && !silent {
        Consent::Given { all: false }
    } else {
        Consent::Before
    };
    match finish(state, query, tenant, client, &login, consent) {
        Ok(pairs) => back.reply(pairs),
        Err(refused) if refused.code == 65_001 && !silent => {
            form(state, request, client, Some(&login))
        }
        Err(refused) if silent || at_once => {
            let error = if silent && refused.error == "invalid_grant" {
                "interaction_required"
            } else {
                refused.error
            };
            back.refuse(state, &Refused { error, ..refused })
        }
        Err(refused) => show(state, &refused),
    }
}

fn check(query: &Query) -> Result<(), Refused> {
    let required = |name: &str| query.get(name).ok_or_else(|| Refused::missing(name));
    required("scope")?;
    let kind = required("response_type")?;
    if kind != "code" {
        return Err(Refused::new(
            "unsupported_response_type",
            700_054,
            format!("response_type '{kind}' is not enabled for the application."),
        ));
    }
    let method = query.get("code_challenge_method").unwrap_or("plain");
    if query.get("code_challenge").is_some() && !matches!(method, "S256" | "plain") {
        return Err(Refused::new(
            "invalid_request",
            501_491,
            format!("The code_challenge_method '{method}' is not supported."),
        ));
    }
    Ok(())
}

pub(super) fn declined() -> Refused {
    Refused::new(
        "access_denied",
        65_004,
        "User declined to consent to access the app.",
    )
}

#[derive(Clone, Copy)]
enum Consent {
    /// The person accepts now.
    Given { all: bool },
    /// Only what was accepted before counts.
    Before,
}

/// Makes the code.
fn finish(
    state: &mut State,
    query: &Query,
    tenant: &str,
    client: Uuid,
    login: &str,
    consent: Consent,
) -> Result<Vec<(&'static str, String)>, Refused> {
    let (tenant, user) = admit(state, tenant, client, login)?;
    let scope = query
        .get("scope")
        .ok_or_else(|| Refused::missing("scope"))?;
    let wanted = Wanted::parse(scope)
        .map_err(|resource| Refused::no_resource(&resource, &tenant.to_string()))?;
    let missing = || Refused::no_app(&client.to_string(), &tenant.to_string());
    let app = state.app(&client.to_string()).ok_or_else(missing)?;
    let (name, asked) = (app.name.clone(), wanted.delegated(app));
    match consent {
        Consent::Given { all } => state.consent(tenant, client, user, &asked, all)?,
        Consent::Before => {
            let granted = state.tenant(tenant).map(|tenant| {
                (
                    tenant.granted(client, user),
                    tenant.principals.contains_key(&client),
                )
            });
            if granted.is_none_or(|(granted, known)| !known || !asked.is_subset(&granted)) {
                return Err(Refused::needs_consent(client, &name));
            }
        }
    }
    let text = format!("1.A{}", state.ids.token());
    let hashed = query.get("code_challenge_method") == Some("S256");
    let code = Code {
        tenant,
        client,
        user,
        redirect: query.get("redirect_uri").unwrap_or_default().to_owned(),
        scope: scope.to_owned(),
        nonce: query.get("nonce").map(str::to_owned),
        challenge: query
            .get("code_challenge")
            .map(|text| (text.to_owned(), hashed)),
        expires: state.now() + 600,
        used: false,
    };
    state.codes.insert(text.clone(), code);
    Ok(vec![
        ("code", text),
        ("session_state", state.ids.guid().to_string()),
    ])
}

/// The page that asks who signs in and whether they accept.
fn form(state: &State, request: &Request, client: Uuid, login: Option<&str>) -> Reply {
    let app = state.app(&client.to_string());
    let name = app.map(|app| app.name.as_str()).unwrap_or_default();
    let asked = app
        .and_then(|app| {
            Some(
                Wanted::parse(request.query.get("scope")?)
                    .ok()?
                    .delegated(app),
            )
        })
        .unwrap_or_default();
    let item = |scope: &String| {
        let name = scope
            .split_once('/')
            .map_or(scope.as_str(), |(_, name)| name);
        format!("<li>{}</li>", escape(name))
    };
    let list = asked.iter().map(item).collect::<Vec<_>>().concat();
    let action = format!("/{}?{}", request.segments.join("/"), request.raw_query);
    let all = "<label><input type=\"checkbox\" name=\"for_all\"> Consent on behalf of your organization</label>";
    let body = format!(
        "<p>{} asks for:</p><ul>{list}</ul><form method=\"post\" action=\"{}\">\
         <label>Account <input type=\"text\" name=\"login\" value=\"{}\"></label>{all}\
         <button name=\"choice\" value=\"accept\">Accept</button><button name=\"choice\" value=\"cancel\">Cancel</button></form>",
        escape(name),
        escape(&action),
        escape(login.unwrap_or_default()),
    );
    page::html(StatusCode::OK, "Permissions requested", &body)
}

/// `{tenant}/adminconsent` and `{tenant}/v2.0/adminconsent`.
pub(super) fn administrator(state: &mut State, request: &Request, tenant: &str) -> Reply {
    let query = &request.query;
    let client = match app_of(state, query, tenant) {
        Ok(app) => app.id,
        Err(refused) => return show(state, &refused),
    };
    let back = Return::of(query);
    let posted = request.method == Method::POST;
    if posted && request.form.get("choice") != Some("accept") {
        return back.refuse(state, &declined());
    }
    let session = state.settings.signed_in.clone();
    let login = request.form.get("login").map(str::to_owned).or(session);
    let Some(login) = login.filter(|_| posted || state.settings.at_once) else {
        return form(state, request, client, None);
    };
    let (tenant, user) = match admit(state, tenant, client, &login) {
        Ok(found) => found,
        Err(refused) => return show(state, &refused),
    };
    let administrator = state
        .tenant(tenant)
        .and_then(|tenant| tenant.user_by_id(user))
        .is_some_and(|user| user.administrator);
    if !administrator {
        let refused = Refused::needs_administrator(client);
        return if posted {
            show(state, &refused)
        } else {
            back.refuse(state, &refused)
        };
    }
    state.grant_all(tenant, client);
    let mut pairs = vec![
        ("admin_consent", "True".to_owned()),
        ("tenant", tenant.to_string()),
    ];
    if let Some(scope) = query.get("scope") {
        pairs.push(("scope", scope.to_owned()));
    }
    back.reply(pairs)
}
