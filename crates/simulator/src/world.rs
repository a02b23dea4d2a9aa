//! Everything that the simulator holds: organizations, the people of their tenant, a clock and ids that repeat from run to run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use crate::auth::Pat;
use crate::core::access::Access;
pub(crate) use crate::core::people::{People, Person};
use crate::server::ApiError;

/// The world behind a lock that is held for computing only: never while git runs or a body streams.
#[derive(Clone)]
pub(crate) struct SharedWorld(Arc<Shared>);

struct Shared {
    data: PathBuf,
    world: RwLock<World>,
}

impl SharedWorld {
    pub(crate) fn new(data: PathBuf) -> Self {
        Self(Arc::new(Shared {
            data,
            world: RwLock::new(World::new()),
        }))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, World> {
        self.0.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, World> {
        self.0.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of bare repositories and blobs.
    pub(crate) fn data(&self) -> &Path {
        &self.0.data
    }
}

pub(crate) struct World {
    /// `http://127.0.0.1:PORT`, for addresses inside the texts of seeds.
    pub url: String,
    /// By lowercase name.
    pub organizations: BTreeMap<String, Organization>,
    /// By token.
    pub pats: HashMap<String, Pat>,
    /// The directory of the one tenant that all organizations are backed by.
    pub people: People,
    /// Entra ID: tenants, people who sign in, apps.
    pub entra: crate::entra::State,
    pub ids: Ids,
}

impl World {
    fn new() -> Self {
        let mut ids = Ids::new(1);
        let people = People::with_administrator(&mut ids);
        Self {
            url: String::new(),
            organizations: BTreeMap::new(),
            pats: HashMap::new(),
            people,
            entra: crate::entra::State::new(),
            ids,
        }
    }

    pub(crate) fn organization(&self, name: &str) -> Result<&Organization, ApiError> {
        self.organizations
            .get(&name.to_lowercase())
            .ok_or_else(|| ApiError::no_organization(name))
    }

    pub(crate) fn organization_mut(&mut self, name: &str) -> Result<&mut Organization, ApiError> {
        self.organizations
            .get_mut(&name.to_lowercase())
            .ok_or_else(|| ApiError::no_organization(name))
    }

    /// Adds an empty organization, or keeps the one that has the name, and returns a full-access PAT for it.
    pub(crate) fn add_organization(&mut self, name: &str) -> String {
        let tenant = self.entra.tenants[0].id;
        self.add_organization_in(name, tenant)
    }

    /// The same, backed by a tenant.
    pub(crate) fn add_organization_in(&mut self, name: &str, tenant: Uuid) -> String {
        let seed = 1000 + self.organizations.len() as u64;
        let own = self.entra.tenants.iter().position(|own| own.id == tenant);
        let people = match own.and_then(|at| self.entra.tenants.get(at)) {
            Some(other) if own != Some(0) => People::of_tenant(other),
            _ => self.people.clone(),
        };
        self.organizations
            .entry(name.to_lowercase())
            .or_insert_with(|| Organization::new(name, seed, people, tenant));
        self.add_pat(name, &["app_token"])
    }

    /// Adds the apps of the organization's tenant to it, as members.
    pub(crate) fn enter_applications(&mut self, name: &str) -> Result<(), ApiError> {
        let tenant = self.organization(name)?.access.tenant;
        let principals: Vec<(Uuid, Uuid)> = self
            .entra
            .tenant(tenant)
            .into_iter()
            .flat_map(|tenant| tenant.principals.iter())
            .map(|(client, principal)| (*client, principal.id))
            .collect();
        for (client, principal) in principals {
            let title = self.entra.title(client);
            let access = &mut self.organization_mut(name)?.access;
            access.add_application(&title, client, principal);
        }
        Ok(())
    }

    pub(crate) fn add_pat(&mut self, organization: &str, scopes: &[&str]) -> String {
        let token = self.ids.token();
        let people = self
            .organization(organization)
            .map_or(&self.people, |known| &known.people);
        let pat = Pat {
            organization: organization.to_lowercase(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            person: people.administrator(),
        };
        self.pats.insert(token.clone(), pat);
        token
    }

    /// Adds a person to the tenant, known to every organization.
    pub(crate) fn add_person(&mut self, display_name: &str, mail: &str) -> Arc<Person> {
        let person = self.people.add(&mut self.ids, display_name, mail);
        let home = self.entra.tenants[0].id;
        for organization in self.organizations.values_mut() {
            if organization.access.tenant == home {
                organization.people = self.people.clone();
            }
        }
        person
    }
}

pub(crate) struct Organization {
    pub name: String,
    pub id: Uuid,
    pub clock: Clock,
    pub ids: Ids,
    pub people: People,
    pub access: Access,
    pub core: crate::core::State,
    pub wit: crate::wit::State,
    pub git: crate::git::State,
    pub wiki: crate::wiki::State,
}

impl Organization {
    fn new(name: &str, seed: u64, people: People, tenant: Uuid) -> Self {
        let mut ids = Ids::new(seed);
        Self {
            name: name.to_owned(),
            id: ids.guid(),
            clock: Clock::default(),
            ids,
            access: Access::new(tenant, people.administrator().id),
            people,
            core: crate::core::State::default(),
            wit: crate::wit::State::default(),
            git: crate::git::State::default(),
            wiki: crate::wiki::State::default(),
        }
    }
}

/// Time of an organization: advances by a fixed step for each write, so that runs repeat.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    now: Timestamp,
}

/// 2026-01-05T08:00:00Z.
const START: Timestamp = Timestamp::constant(1_767_600_000, 0);
const STEP: SignedDuration = SignedDuration::from_millis(7_130);

impl Default for Clock {
    fn default() -> Self {
        Self { now: START }
    }
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.advance(STEP)
    }

    pub(crate) fn advance(&mut self, by: SignedDuration) -> Timestamp {
        self.now = self.now.checked_add(by).unwrap_or(self.now);
        self.now
    }
}

/// GUIDs and tokens from a seeded generator.
#[derive(Debug)]
pub(crate) struct Ids(rand::rngs::StdRng);

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self(rand::rngs::StdRng::seed_from_u64(seed))
    }

    pub(crate) fn guid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// 52 characters, as the short personal access tokens of the service.
    pub(crate) fn token(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut bytes = [0; 52];
        self.0.fill_bytes(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect()
    }
}
