//! Sessions of browsers.

use catalog::NewSession;
use jiff::SignedDuration;

use super::cookie::{Cookies, SetCookie};
use super::token::{Random, digest};
use super::{Caller, ClientLine};
use crate::{Problem, Server};

/// A session that is not used for this long is over.
pub(crate) const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// However much it is used.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A session that begins: the cookie for the browser, and who it is.
pub(crate) struct Started {
    pub(crate) cookie: SetCookie,
    pub(crate) caller: Caller,
}

impl Started {
    /// Begins a session with a secret of its own, whatever the browser brought; that of before ends.
    pub(crate) async fn begin(
        server: &Server,
        person: catalog::PersonRow,
        method: &str,
        client: &ClientLine,
        before: Option<String>,
    ) -> Result<Self, Problem> {
        let catalog = &server.control.catalog;
        let now = server.control.clock.now();
        if let Some(before) = before
            && let Some((session, _)) = catalog.session(&digest(&before)).await?
        {
            catalog.remove_session(&session.id, None).await?;
        }
        let secret = Random::draw();
        let session = NewSession {
            hash: secret.digest(),
            id: server.control.new_id(),
            person: person.id.clone(),
            method: method.to_owned(),
            created: now,
            expires: now + LONGEST,
            address: client.text(),
            agent: client.agent.clone(),
        };
        catalog.add_session(&session).await?;
        catalog.note_sign_in(&person.id, now).await?;
        let caller = Caller::person(person, session.id).from(client);
        let details = serde_json::json!({ "method": method });
        server
            .audit(&caller, "session.begin", "session", details)
            .await?;
        let cookie = Cookies::new(&server.options).set_session(&secret.reveal(), LONGEST.as_secs());
        Ok(Self { cookie, caller })
    }
}
