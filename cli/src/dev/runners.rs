//! One runner per tenant, in this process, over the same protocol as in a cluster.

use std::collections::BTreeMap;

use anyhow::Context;
use flowpilot_crds::tenant;
use flowpilot_runner::{Config, Egress, TokenSource};
use tokio_util::sync::CancellationToken;

use super::folder::World;
use super::{Process, secret};
use crate::output;

/// The runners that work now.
pub(crate) struct Runners<'a> {
    process: &'a Process,
    running: BTreeMap<String, Running>,
    greeted: bool,
}

struct Running {
    stop: CancellationToken,
    egress: tenant::Egress,
    pool: String,
}

impl<'a> Runners<'a> {
    pub(crate) fn new(process: &'a Process) -> Self {
        Self {
            process,
            running: BTreeMap::new(),
            greeted: false,
        }
    }

    /// True once: when the first tenants have their runners.
    pub(crate) fn first_time(&mut self) -> bool {
        !std::mem::replace(&mut self.greeted, true)
    }

    /// Starts, replaces and stops runners until every tenant has the one it should have.
    pub(crate) fn fit(&mut self, world: &World) -> anyhow::Result<()> {
        for (tenant, spec) in &world.tenants {
            let egress = spec.egress.clone().unwrap_or_default();
            let pool = spec.runner_class().to_owned();
            if let Some(running) = self.running.get(tenant) {
                if running.egress == egress && running.pool == pool {
                    continue;
                }
                running.stop.cancel();
            }
            let stop = self.process.shutdown.child_token();
            let token = secret();
            self.process.tokens.runners.add(tenant, &token);
            let mut config = Config::new(self.process.internal.clone(), TokenSource::Static(token));
            config.runner = format!("dev-{tenant}");
            config.pool.clone_from(&pool);
            let class = world.classes.get(&pool).cloned().unwrap_or_default();
            config.capacity =
                u32::try_from(class.capacity()).context("the capacity of a runner class is positive")?;
            config.egress = Egress::new(&egress).with_context(|| format!("the egress of tenant {tenant}"))?;
            self.process
                .runners
                .spawn(work(tenant.clone(), config, stop.clone()));
            self.running
                .insert(tenant.clone(), Running { stop, egress, pool });
        }
        self.running.retain(|tenant, running| {
            let wanted = world.tenants.contains_key(tenant);
            if !wanted {
                running.stop.cancel();
            }
            wanted
        });
        Ok(())
    }
}

async fn work(tenant: String, config: Config, stop: CancellationToken) {
    if let Err(error) = flowpilot_runner::run(config, stop).await {
        output::error(&format!("the runner of tenant {tenant} ended: {error}"));
    }
}
