//! The device authorization grant (RFC 8628).

use axum::http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::app::Wanted;
use super::authorize::{admit, declined};
use super::discovery::ANY;
use super::grant::Issue;
use super::page::{self, escape};
use super::route::Request;
use super::tenant::DeviceFlow;
use super::{Refused, State, assertion};
use crate::server::Reply;

/// A device code and how far it has come.
pub(super) struct Device {
    code: String,
    user_code: String,
    client: Uuid,
    /// As in the address.
    tenant: String,
    scope: String,
    expires: i64,
    polls: u32,
    stage: Stage,
}

enum Stage {
    Waiting,
    Approved { tenant: Uuid, user: Uuid },
    Refused(Refused),
    Redeemed,
}

/// `{tenant}/oauth2/v2.0/devicecode`.
pub(super) fn begin(state: &mut State, request: &Request, tenant: &str) -> Result<Reply, Refused> {
    let client = request.required("client_id")?;
    let scope = request.required("scope")?;
    if !ANY.contains(&tenant) && state.tenant_named(tenant).is_none() {
        return Err(Refused::no_tenant(tenant));
    }
    let app = state
        .app(client)
        .ok_or_else(|| Refused::no_app(client, tenant))?;
    let home = state
        .tenant_named(tenant)
        .map_or(app.home, |tenant| tenant.id);
    if home != app.home && !app.multi_tenant {
        return Err(Refused::no_app(client, tenant));
    }
    Wanted::parse(scope).map_err(|resource| Refused::no_resource(&resource, tenant))?;
    let client = app.id;
    let code = state.ids.token();
    let user_code = state.ids.token()[..9].to_uppercase();
    let settings = &state.settings;
    let address = if request.base == "https://login.microsoftonline.com" {
        "https://login.microsoft.com/device".to_owned()
    } else {
        format!("{}/devicelogin", request.base)
    };
    let answer = json!({
        "user_code": user_code,
        "device_code": code,
        "verification_uri": address,
        "expires_in": settings.device_code_life,
        "interval": settings.interval,
        "message": format!("To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."),
    });
    let device = Device {
        code,
        user_code,
        client,
        tenant: tenant.to_owned(),
        scope: scope.to_owned(),
        expires: state.now() + settings.device_code_life,
        polls: 0,
        stage: Stage::Waiting,
    };
    state.devices.push(device);
    Ok(Reply::json(answer))
}

/// The token endpoint, polled.
pub(super) fn redeem(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
) -> Result<Reply, Refused> {
    let code = request
        .form
        .get("device_code")
        .map_or_else(|| request.required("code"), Ok)?
        .to_owned();
    assertion::authenticate(state, request, tenant, client, false)?;
    if state
        .app(&client.to_string())
        .is_some_and(|app| !app.public_client)
    {
        return Err(Refused::new(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    }
    let session = state
        .settings
        .signed_in
        .clone()
        .filter(|_| state.settings.approves_devices);
    let device = poll(state, &code, client)?;
    let (polls, user_code) = (device.polls, device.user_code.clone());
    match &device.stage {
        Stage::Refused(refused) => Err(refused.clone()),
        Stage::Redeemed => Err(unknown()),
        Stage::Approved { tenant, user } => {
            let (tenant, user, scope) = (*tenant, *user, device.scope.clone());
            device.stage = Stage::Redeemed;
            let issue = Issue {
                tenant,
                client,
                user,
                scope: &scope,
                signed_in_with: &scope,
                nonce: None,
                code: None,
            };
            issue.reply(state, request)
        }
        Stage::Waiting => {
            if let Some(person) = session.filter(|_| polls > 1)
                && approve(state, &user_code, &person).is_ok()
            {
                return redeem(state, request, tenant, client);
            }
            Err(Refused::new(
                "authorization_pending",
                70_016,
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
            ))
        }
    }
}

/// The device of a code, looked at once more.
fn poll<'a>(state: &'a mut State, code: &str, client: Uuid) -> Result<&'a mut Device, Refused> {
    if state.settings.slow_down > 0 {
        state.settings.slow_down -= 1;
        return Err(Refused::new(
            "slow_down",
            70_016,
            "The client polls too often.",
        ));
    }
    let now = state.now();
    let device = state
        .devices
        .iter_mut()
        .find(|device| device.code == code && device.client == client)
        .ok_or_else(unknown)?;
    device.polls += 1;
    if device.expires <= now {
        return Err(Refused::new(
            "expired_token",
            70_020,
            "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        ));
    }
    Ok(device)
}

fn unknown() -> Refused {
    Refused::new(
        "bad_verification_code",
        70_018,
        "Invalid verification code due to User typing in wrong user code for device code flow.",
    )
}

fn waiting<'a>(state: &'a mut State, user_code: &str) -> Option<&'a mut Device> {
    let now = state.now();
    let plain = user_code.trim().to_uppercase();
    state.devices.iter_mut().find(|device| {
        device.user_code == plain && device.expires > now && matches!(device.stage, Stage::Waiting)
    })
}

/// A person enters the code, signs in and accepts. What stands against it goes to the device, too.
pub(super) fn approve(state: &mut State, user_code: &str, person: &str) -> Result<(), Refused> {
    let device = waiting(state, user_code).ok_or_else(wrong_code)?;
    let (client, tenant, scope) = (device.client, device.tenant.clone(), device.scope.clone());
    let outcome = admit(state, &tenant, client, person).and_then(|(tenant, user)| {
        match state.tenant(tenant).map(|tenant| tenant.rules.device_flow) {
            Some(DeviceFlow::Blocked) => return Err(Refused::conditional_access()),
            Some(DeviceFlow::Interrupted) => {
                return Err(Refused::new(
                    "interaction_required",
                    50_199,
                    "For security reasons, user confirmation is required for this request. Please repeat the request allowing user interaction.",
                ));
            }
            _ => {}
        }
        let wanted = Wanted::parse(&scope).map_err(|resource| Refused::no_resource(&resource, &tenant.to_string()))?;
        let missing = || Refused::no_app(&client.to_string(), &tenant.to_string());
        let asked = wanted.delegated(state.app(&client.to_string()).ok_or_else(missing)?);
        state.consent(tenant, client, user, &asked, false)?;
        Ok((tenant, user))
    });
    // A wrong account can be corrected on the page; what policy forbids ends the sign-in.
    let (stage, answer) = match outcome {
        Ok((tenant, user)) => (Stage::Approved { tenant, user }, Ok(())),
        Err(refused) if matches!(refused.code, 53_003 | 50_199 | 90_094) => {
            (Stage::Refused(refused.clone()), Err(refused))
        }
        Err(refused) => (Stage::Waiting, Err(refused)),
    };
    if let Some(device) = waiting(state, user_code) {
        device.stage = stage;
    }
    answer
}

/// A person enters the code and refuses.
pub(super) fn decline(state: &mut State, user_code: &str) -> Result<(), Refused> {
    let device = waiting(state, user_code).ok_or_else(wrong_code)?;
    device.stage = Stage::Refused(Refused {
        error: "authorization_declined",
        ..declined()
    });
    Ok(())
}

fn wrong_code() -> Refused {
    Refused::new(
        "invalid_request",
        70_018,
        "That code didn't work. Check the code and try again.",
    )
}

/// The page where people enter codes.
pub(super) fn page(state: &mut State, request: &Request) -> Reply {
    let field = |name: &str| request.form.get(name).or_else(|| request.query.get(name));
    let action = format!("/{}", request.segments.join("/"));
    let Some(user_code) = field("user_code").or_else(|| field("otc")) else {
        let body = format!(
            "<form method=\"post\" action=\"{action}\"><label>Code <input type=\"text\" name=\"user_code\"></label><button>Next</button></form>"
        );
        return page::html(StatusCode::OK, "Enter code to allow access", &body);
    };
    let user_code = user_code.to_owned();
    let choice = (request.method == Method::POST)
        .then(|| field("choice"))
        .flatten();
    let session = state.settings.signed_in.clone();
    let done = match choice {
        Some("continue") => {
            let login = field("login").map(str::to_owned).or(session);
            login.map(|login| approve(state, &user_code, &login))
        }
        Some(_) => Some(decline(state, &user_code)),
        None => None,
    };
    match done {
        Some(Ok(())) => {
            return page::text("You have signed in on your device. You may now close this window.");
        }
        Some(Err(refused)) => {
            return page::error(&format!("AADSTS{}: {}", refused.code, refused.words));
        }
        None => {}
    }
    let Some(client) = waiting(state, &user_code).map(|device| device.client) else {
        return page::error(&wrong_code().words);
    };
    let name = state
        .app(&client.to_string())
        .map(|app| app.name.clone())
        .unwrap_or_default();
    let body = format!(
        "<p>Are you trying to sign in to {}?</p><form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"user_code\" value=\"{}\">\
         <label>Account <input type=\"text\" name=\"login\"></label>\
         <button name=\"choice\" value=\"continue\">Continue</button><button name=\"choice\" value=\"cancel\">Cancel</button></form>",
        escape(&name),
        escape(&user_code)
    );
    page::html(StatusCode::OK, "Sign in", &body)
}
