//! Who calls, and what they may do.

mod address;
mod audit;
mod authenticate;
mod caller;
mod cookie;
mod name;
pub(crate) mod oidc;
mod origin;
mod password;
pub(crate) mod second_factor;
mod session;
mod sign_in;
mod token;

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use model::Permission;

use crate::{Problem, Server};

/// What the sign-ins of one server share.
#[derive(Default)]
pub(crate) struct Access {
    pub(crate) hashing: Hashing,
    pub(crate) web: oidc::Web,
    pub(crate) said: oidc::Said,
    pub(crate) slow: sign_in::Slow,
}

pub(crate) use address::ClientLine;
pub use audit::Outcome;
use authenticate::Presented;
pub(crate) use authenticate::{authenticate, still};
pub use caller::{Caller, CallerKind};
pub(crate) use cookie::Cookies;
pub(crate) use name::person_name;
pub(crate) use password::{Hashing, LONGEST, acceptable};
pub(crate) use session::{IDLE, Started};
pub(crate) use sign_in::{
    SignInRequest, count as count_attempt, count_leaving, forgive as forgive_attempt,
    forgive_leaving, prove,
};
pub(crate) use token::{Random, digest, new_token};

/// A permission as a type, for [`Allowed`].
pub trait Needs: Send + Sync + 'static {
    const PERMISSION: Permission;
}

macro_rules! markers {
    ($($name:ident),*) => {
        $(
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Needs for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )*
    };
}

markers!(
    ReadStatus,
    ReadContent,
    RunBackups,
    ManageConnectors,
    ManagePolicies,
    Restore,
    ManageRepositories,
    Approve,
    ManagePeople,
    ReadAudit,
    ManageServer,
    Own
);

/// How much of the server an operation is about, for [`Allowed`].
pub trait About: Send + Sync + 'static {
    const EVERYTHING: bool;
}

/// About what it names: the handler looks whether the caller reaches that.
#[derive(Clone, Copy, Debug)]
pub struct Named;

/// About what all connectors share: storage, workers, policies, who gets in. Its description has `x-reach: all`.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

impl About for Named {
    const EVERYTHING: bool = false;
}

impl About for Everything {
    const EVERYTHING: bool = true;
}

/// A caller with the permission `P`, and with a reach for what the operation is about; everyone else is refused before the handler runs.
#[derive(Clone, Debug)]
pub struct Allowed<P, A = Named> {
    caller: Caller,
    needs: PhantomData<(P, A)>,
}

impl<P, A> Deref for Allowed<P, A> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<P: Needs, A: About> FromRequestParts<Server> for Allowed<P, A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        if let Some(Presented(problem)) = parts.extensions.get() {
            return Err(problem.clone());
        }
        let caller = parts
            .extensions
            .get::<Caller>()
            .ok_or_else(Problem::sign_in)?;
        if !caller.may(P::PERMISSION) {
            return Err(Problem::forbidden(P::PERMISSION));
        }
        if A::EVERYTHING {
            caller.reaches_all()?;
        }
        Ok(Self {
            caller: caller.clone(),
            needs: PhantomData,
        })
    }
}
