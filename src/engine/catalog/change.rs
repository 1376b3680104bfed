//! What happened to an entity.

use std::fmt;

use uuid::Uuid;

use crate::schema::Entity;

/// A committed change, told before the caller is answered.
#[derive(Clone)]
pub struct Change {
    /// Name of the schema: `services`, `oauth2_tokens`.
    pub entity: &'static str,
    pub happened: Happened,
}

/// Entities are complete, internal fields included, `config.provision_key` in place; virtual fields are absent.
#[derive(Clone)]
pub enum Happened {
    Created {
        id: Uuid,
        new: Entity,
    },
    Updated {
        id: Uuid,
        old: Entity,
        new: Entity,
    },
    /// What hung on it is gone too.
    Deleted {
        id: Uuid,
        old: Entity,
    },
    /// Asked to delete what is not there: told all the same, so that a retry after a crash completes the first try.
    DeletedBefore {
        id: Option<Uuid>,
        key: Option<String>,
    },
}

impl Change {
    pub fn id(&self) -> Option<Uuid> {
        match &self.happened {
            Happened::Created { id, .. } | Happened::Updated { id, .. } | Happened::Deleted { id, .. } => Some(*id),
            Happened::DeletedBefore { id, .. } => *id,
        }
    }

    /// The entity before the change.
    pub fn old(&self) -> Option<&Entity> {
        match &self.happened {
            Happened::Updated { old, .. } | Happened::Deleted { old, .. } => Some(old),
            Happened::Created { .. } | Happened::DeletedBefore { .. } => None,
        }
    }

    /// The entity after the change.
    pub fn current(&self) -> Option<&Entity> {
        match &self.happened {
            Happened::Created { new, .. } | Happened::Updated { new, .. } => Some(new),
            Happened::Deleted { .. } | Happened::DeletedBefore { .. } => None,
        }
    }
}

/// Entities hold secrets, so only what happened to which is printed.
impl fmt::Debug for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.happened {
            Happened::Created { .. } => "created",
            Happened::Updated { .. } => "updated",
            Happened::Deleted { .. } => "deleted",
            Happened::DeletedBefore { .. } => "deleted before",
        };
        write!(out, "Change({} {:?} {verb})", self.entity, self.id())
    }
}
