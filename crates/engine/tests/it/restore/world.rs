//! A service in memory: containers that make a team by themselves, things with revisions, links and a recycle bin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use service::{Error, Result};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thing {
    pub kind: String,
    /// The id of its project here.
    pub scope: String,
    pub name: String,
    pub body: String,
    /// The id that it was made for, as a restore marks it.
    pub marker: Option<String>,
    pub revisions: u32,
    pub links: BTreeSet<String>,
    /// How often its references were written.
    pub connected: u32,
    pub deleted: bool,
    pub automatic: bool,
}

/// When everything ends, as a kill does: the call with this number, which is carried out or not, and all that follow fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    pub at: u64,
    pub carried_out: bool,
}

/// What becomes of a team beside one of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Teams {
    #[default]
    Many,
    /// The service has one of a name, and the kind says so.
    One,
    /// The kind takes the one that is there for its own.
    Mistaken,
}

#[derive(Default)]
struct State {
    things: BTreeMap<String, Thing>,
    /// What went with a deleted project, and comes back with it.
    gone: BTreeMap<String, BTreeMap<String, Thing>>,
    next: u64,
    calls: u64,
    kill: Option<Kill>,
    /// Writes of things with these names are refused.
    poison: BTreeSet<String>,
    /// Writes of this kind answer that the token is refused.
    locked_out: bool,
    garbled: BTreeSet<String>,
    /// Nothing can be looked up.
    away: bool,
    /// Of what has these ids nobody can tell what it is.
    veiled: BTreeSet<String>,
    teams: Teams,
    cancel: Option<(u64, tokio_util::sync::CancellationToken)>,
}

#[derive(Default)]
pub(crate) struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// One call of anything: counts, and runs `work` unless the process is dead.
    fn call<T>(&self, work: impl FnOnce(&mut State) -> T) -> Result<T> {
        let mut state = self.state();
        state.calls += 1;
        if let Some((at, token)) = &state.cancel
            && state.calls >= *at
        {
            token.cancel();
        }
        match state.kill {
            Some(kill)
                if state.calls > kill.at || (state.calls == kill.at && !kill.carried_out) =>
            {
                Err(Error::storage("killed"))
            }
            Some(kill) if state.calls == kill.at => {
                work(&mut state);
                Err(Error::storage("killed"))
            }
            _ => Ok(work(&mut state)),
        }
    }

    /// For the store: a call that shares the count.
    pub(crate) fn tick<T>(&self, work: impl FnOnce() -> T) -> engine::Result<T> {
        self.call(|_| work()).map_err(|_| engine::Error::Control {
            code: "killed",
            message: "killed".to_owned(),
        })
    }

    pub(crate) fn kill(&self, kill: Option<Kill>) {
        let mut state = self.state();
        state.calls = 0;
        state.kill = kill;
    }

    pub(crate) fn cancel_at(&self, calls: u64, token: &tokio_util::sync::CancellationToken) {
        let mut state = self.state();
        state.calls = 0;
        state.cancel = Some((calls, token.clone()));
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    pub(crate) fn poison(&self, name: &str) {
        self.state().poison.insert(name.to_owned());
    }

    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.poison.clear();
        state.locked_out = false;
    }

    pub(crate) fn away(&self, away: bool) {
        self.state().away = away;
    }

    pub(crate) fn veil(&self, id: &str) {
        self.state().veiled.insert(id.to_owned());
    }

    pub(crate) fn shows(&self, id: &str) -> Result<()> {
        if self.state().veiled.contains(id) {
            return Err(Error::malformed(format!("{id} is not understood")));
        }
        Ok(())
    }

    /// Fails while nothing can be looked up.
    pub(crate) fn answers(&self) -> Result<()> {
        if self.state().away {
            let message = "the service failed (503)";
            let class = model::Class::Transient;
            return Err(Error::new(class, "service-unavailable", message));
        }
        Ok(())
    }

    pub(crate) fn set_teams(&self, teams: Teams) {
        self.state().teams = teams;
    }

    pub(crate) fn teams(&self) -> Teams {
        self.state().teams
    }

    pub(crate) fn lock_out(&self) {
        self.state().locked_out = true;
    }

    /// Puts something there beforehand.
    pub(crate) fn seed(&self, id: &str, thing: Thing) {
        self.state().things.insert(id.to_owned(), thing);
    }

    /// Removes something for good.
    pub(crate) fn remove(&self, id: &str) -> Thing {
        self.state().things.remove(id).unwrap()
    }

    /// Sends a project to the recycle bin, with its teams and these things.
    pub(crate) fn delete_project(&self, id: &str, things: &[&str]) {
        let mut state = self.state();
        state.things.get_mut(id).unwrap().deleted = true;
        let own =
            |key: &String, thing: &mut Thing| thing.scope == id || things.contains(&key.as_str());
        let gone = state.things.extract_if(.., own).collect();
        state.gone.insert(id.to_owned(), gone);
    }

    /// Removes something for good, as a call.
    pub(crate) fn erase(&self, id: &str) -> Result<()> {
        self.call(|state| drop(state.things.remove(id)))
    }

    /// What is written into things of this name arrives as something else.
    pub(crate) fn garble(&self, name: &str) {
        self.state().garbled.insert(name.to_owned());
    }

    pub(crate) fn things(&self) -> BTreeMap<String, Thing> {
        self.state().things.clone()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<(String, Thing)> {
        self.things()
            .into_iter()
            .filter(|(_, thing)| thing.kind == kind)
            .collect()
    }

    pub(crate) fn read(&self, id: &str) -> Result<Option<Thing>> {
        self.call(|state| state.things.get(id).cloned())
    }

    pub(crate) fn search(
        &self,
        wanted: impl Fn(&str, &Thing) -> bool,
    ) -> Result<Option<(String, Thing)>> {
        self.call(|state| {
            state
                .things
                .iter()
                .find(|(id, thing)| wanted(id, thing))
                .map(|(id, thing)| (id.clone(), thing.clone()))
        })
    }

    pub(crate) fn create(&self, thing: Thing) -> Result<String> {
        self.call(|state| {
            if state.locked_out {
                return Err(Error::new(
                    model::Class::Credential,
                    "credential-refused",
                    "the token is refused",
                ));
            }
            if state.poison.contains(&thing.name) {
                return Err(Error::new(
                    model::Class::Permission,
                    "permission-missing",
                    format!("{} may not be written", thing.name),
                )
                .with_status(403));
            }
            state.next += 1;
            let id = format!("new-{}", state.next);
            if thing.kind == "project" {
                let team = Thing {
                    kind: "team".to_owned(),
                    scope: id.clone(),
                    name: format!("{} Team", thing.name),
                    automatic: true,
                    ..Thing::default()
                };
                state.things.insert(format!("{id}-team"), team);
            }
            state.things.insert(id.clone(), thing);
            Ok(id)
        })?
    }

    /// Changes what is there.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Thing)) -> Result<()> {
        self.call(|state| match state.things.get_mut(id) {
            Some(thing) => {
                change(thing);
                if state.garbled.contains(&thing.name) {
                    "garbled".clone_into(&mut thing.body);
                }
                if !thing.deleted {
                    let back = state.gone.remove(id).unwrap_or_default();
                    state.things.extend(back);
                }
                Ok(())
            }
            None => Err(Error::new(
                model::Class::Missing,
                "restore-failed",
                format!("there is no {id}"),
            )),
        })?
    }
}
