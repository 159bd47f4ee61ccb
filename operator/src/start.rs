//! Puts the parts together: watches and admission on every replica, controllers on the one that holds the lease.

use std::sync::Arc;

use flowpilot_telemetry::health::Health;
use futures::FutureExt;
use futures::future::{join, join_all};
use kube::Client;
use snafu::ResultExt;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::controller::Controller;
use crate::leader::{Candidate, Ended, while_leading};
use crate::metrics::Metrics;
use crate::scaling::Pools;
use crate::tenant::impersonator::Impersonator;
use crate::webhook::Webhook;
use crate::webhook::keeper::{self, Keeper};
use crate::workflow_run::mirror::{self, Reports};
use crate::world::{Queues, Settings, Stores, World};
use crate::{
    AdmissionSnafu, Config, Error, LostLeaseSnafu, MakeApiSnafu, api, client, runner_class, scaling, tenant,
    workflow, workflow_run,
};

/// Port of the API server for runners, if its address names none.
const API_PORT: u16 = 8081;

/// Runs everything until `stop`.
pub(crate) async fn start(
    config: &Config,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
) -> Result<(), Error> {
    let client = client().await?;
    let api = api::Api::new(config.api_url.clone(), config.token_file.clone()).context(MakeApiSnafu)?;
    let (queues, pools) = (Queues::default(), Pools::default());
    let stores = Stores::start(&client, &queues, &pools, &stop);
    let parts = Parts {
        client,
        identity: config.identity.clone(),
        metrics,
    };
    let world = Arc::new(World {
        stores: stores.clone(),
        queues,
        api,
        settings: settings(config),
        pools,
        reports: Reports::default(),
    });
    let synced = async {
        if stores.ready().await {
            tracing::info!("the caches are complete");
            health.set_ready("caches", true);
        }
    };
    let admission = admit(config, &parts, stores.clone(), &health, stop.clone());
    let candidate = Candidate::new(
        parts.client.clone(),
        &config.namespace,
        config.identity.clone(),
        parts.metrics.clone(),
    );
    let leading = while_leading(candidate, stop.clone(), |working| {
        control(world, parts.clone(), config.impersonator_role.clone(), working)
    });
    // When one of them ends, so do the others.
    let admission = admission.inspect(|_| stop.cancel());
    let leading = leading.inspect(|_| stop.cancel());
    let synced = async {
        tokio::select! {
            () = synced => {}
            () = stop.cancelled() => {}
        }
    };
    let (admitted, (ended, ())) = join(admission, join(leading, synced)).await;
    admitted?;
    match ended {
        Ended::Stopped => Ok(()),
        Ended::Lost => LostLeaseSnafu.fail(),
    }
}

#[derive(Clone)]
struct Parts {
    client: Client,
    identity: String,
    metrics: Metrics,
}

impl Parts {
    fn cluster(&self, name: &'static str, manager: &'static str) -> Cluster {
        Cluster::new(
            self.client.clone(),
            (name, manager),
            &self.identity,
            self.metrics.clone(),
        )
    }
}

fn settings(config: &Config) -> Settings {
    let api_url = config.runner_api_url.as_ref().unwrap_or(&config.api_url);
    Settings {
        namespace: config.namespace.clone(),
        api_url: api_url.as_str().trim_end_matches('/').to_owned(),
        api_port: api_url.port_or_known_default().unwrap_or(API_PORT),
        runner_image: config.runner_image.clone(),
        runner_image_pull_policy: config.runner_image_pull_policy.clone(),
    }
}

async fn admit(
    config: &Config,
    parts: &Parts,
    stores: Stores,
    health: &Health,
    stop: CancellationToken,
) -> Result<(), Error> {
    let keeper = Keeper {
        cluster: parts.cluster(keeper::NAME, keeper::MANAGER),
        namespace: config.namespace.clone(),
        service: config.webhook_service.clone(),
        configuration: config.webhook_configuration.clone(),
    };
    let Some(tls) = keeper.start(stop.clone()).await else {
        return Ok(());
    };
    health.set_ready("webhook", true);
    let webhook = Webhook {
        stores,
        metrics: parts.metrics.clone(),
    };
    webhook
        .serve(config.webhook_listen, tls, stop)
        .await
        .context(AdmissionSnafu)
}

/// All controllers, and what feeds them.
async fn control(world: Arc<World>, parts: Parts, impersonator_role: String, stop: CancellationToken) {
    // A cache that is not complete would look as if things were missing, and they would be written anew.
    tokio::select! {
        ready = world.stores.ready() => if !ready { return },
        () = stop.cancelled() => return,
    }
    let tenants = Controller {
        name: tenant::NAME,
        store: world.stores.tenants.clone(),
        queue: world.queues.tenants.clone(),
        metrics: parts.metrics.clone(),
    }
    .drive(
        Arc::new(tenant::Context {
            world: Arc::clone(&world),
            cluster: parts.cluster(tenant::NAME, tenant::MANAGER),
            impersonator: Impersonator::new(impersonator_role),
        }),
        tenant::reconcile,
        stop.clone(),
    );
    let classes = Controller {
        name: runner_class::NAME,
        store: world.stores.classes.clone(),
        queue: world.queues.classes.clone(),
        metrics: parts.metrics.clone(),
    }
    .drive(
        Arc::new(runner_class::Context {
            world: Arc::clone(&world),
            cluster: parts.cluster(runner_class::NAME, runner_class::MANAGER),
        }),
        runner_class::reconcile,
        stop.clone(),
    );
    let workflows = Controller {
        name: workflow::NAME,
        store: world.stores.workflows.clone(),
        queue: world.queues.workflows.clone(),
        metrics: parts.metrics.clone(),
    }
    .drive(
        Arc::new(workflow::Context {
            world: Arc::clone(&world),
            cluster: parts.cluster(workflow::NAME, workflow::MANAGER),
        }),
        workflow::reconcile,
        stop.clone(),
    );
    let runs = Controller {
        name: workflow_run::NAME,
        store: world.stores.runs.clone(),
        queue: world.queues.runs.clone(),
        metrics: parts.metrics.clone(),
    }
    .drive(
        Arc::new(workflow_run::Context {
            world: Arc::clone(&world),
            cluster: parts.cluster(workflow_run::NAME, workflow_run::MANAGER),
        }),
        workflow_run::reconcile,
        stop.clone(),
    );
    let scaler = parts.cluster(scaling::NAME, scaling::MANAGER);
    join_all([
        tenants.boxed(),
        classes.boxed(),
        workflows.boxed(),
        runs.boxed(),
        scaling::follow(Arc::clone(&world), stop.clone()).boxed(),
        scaling::scale(Arc::clone(&world), scaler, stop.clone()).boxed(),
        mirror::follow(world, stop).boxed(),
    ])
    .await;
}
