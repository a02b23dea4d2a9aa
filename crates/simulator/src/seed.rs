//! What an organization holds at the start. Everything is written through the functions that answer requests, in an
//! order and with contents that repeat from run to run.

pub(crate) mod bulk;
mod contoso;
pub(crate) mod discussion;
pub(crate) mod files;
pub(crate) mod items;
pub(crate) mod links;
pub(crate) mod organization;
pub(crate) mod repositories;
mod small;
pub(crate) mod wikis;
pub(crate) mod words;

use std::sync::Arc;

use crate::server::ApiError;
use crate::simulator::Seed;
use crate::world::{Organization, Person, SharedWorld};

use words::Dice;

/// What the makers of a seed share.
pub(crate) struct Maker {
    pub world: SharedWorld,
    pub organization: String,
    /// `http://127.0.0.1:PORT/organization`, for addresses inside texts.
    pub base: String,
    pub people: Vec<Arc<Person>>,
    pub dice: Dice,
}

/// Names from several scripts, as tenants have them.
const PEOPLE: [(&str, &str); 9] = [
    ("Adele Vance", "adele.vance@contoso.example"),
    ("Diego Siciliani", "diego.siciliani@contoso.example"),
    ("Grażyna Łukaszewska", "grazyna.lukaszewska@contoso.example"),
    ("Johanna Lorenz", "johanna.lorenz@contoso.example"),
    ("Lee Gu", "lee.gu@contoso.example"),
    ("Pradeep Gupta", "pradeep.gupta@contoso.example"),
    ("佐藤 陽子", "yoko.sato@contoso.example"),
    ("Иван Петров", "ivan.petrov@contoso.example"),
    ("נועה לוי", "noa.levi@contoso.example"),
];

/// Fills an organization that has no project yet.
pub(crate) async fn fill(
    world: &SharedWorld,
    organization: &str,
    seed: &Seed,
) -> Result<(), ApiError> {
    let mut maker = Maker::new(world, organization);
    match seed {
        Seed::Empty => Ok(()),
        Seed::Small => small::fill(&mut maker).await,
        Seed::Contoso {
            history,
            work_items,
        } => contoso::fill(&mut maker, history.as_deref(), *work_items).await,
        Seed::Bulk {
            work_items,
            bytes,
            repositories,
        } => bulk::fill(&mut maker, *work_items, *bytes, *repositories).await,
    }
}

impl Maker {
    pub(crate) fn new(world: &SharedWorld, organization: &str) -> Self {
        let mut guard = world.write();
        let people = PEOPLE
            .iter()
            .map(|(name, mail)| guard.add_person(name, mail))
            .collect();
        let base = format!("{}/{organization}", guard.url);
        drop(guard);
        Self {
            world: world.clone(),
            organization: organization.to_owned(),
            base,
            people,
            dice: Dice::new(2_026),
        }
    }

    /// Works on the organization under the world's lock.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Organization) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        work(self.world.write().organization_mut(&self.organization)?)
    }

    pub(crate) fn person(&mut self) -> Arc<Person> {
        Arc::clone(self.dice.pick(&self.people))
    }

    /// Lets minutes to hours pass, as between the acts of people.
    pub(crate) fn pass_time(&mut self, most_minutes: u32) -> Result<(), ApiError> {
        let minutes = i64::from(1 + self.dice.below(most_minutes));
        self.with(|organization| {
            organization
                .clock
                .advance(jiff::SignedDuration::from_mins(minutes));
            Ok(())
        })
    }
}
