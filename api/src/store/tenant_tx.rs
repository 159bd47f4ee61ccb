//! The transaction of one tenant: the only way to its rows for requests of people.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::error::{Result, classify};

/// A transaction in which row security lets exactly one tenant's rows through. Dropped without [`Self::commit`] it
/// is rolled back.
#[derive(Debug)]
pub struct TenantTx {
    transaction: Transaction<'static, Postgres>,
    tenant_id: Uuid,
}

impl TenantTx {
    /// Begins. Transaction and tenant travel as one message; the setting ends with the transaction, so nothing of it
    /// stays on the connection.
    pub async fn begin(app: &PgPool, tenant_id: Uuid) -> Result<Self> {
        // A Uuid prints as hexadecimal digits and hyphens: nothing in it can end the literal.
        let begin = format!("BEGIN; SELECT set_config('app.tenant_id', '{tenant_id}', true)");
        let transaction = app.begin_with(AssertSqlSafe(begin)).await.map_err(classify)?;
        Ok(Self {
            transaction,
            tenant_id,
        })
    }

    /// The tenant.
    #[must_use]
    pub fn tenant_id(&self) -> Uuid {
        self.tenant_id
    }

    /// The connection, for the statements of this module's neighbours.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Makes the changes last.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await.map_err(classify)
    }
}
