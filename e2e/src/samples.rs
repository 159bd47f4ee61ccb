//! The sample server as the tests reach it: through the API server's proxy, which needs no address of its own.

use serde_json::Value;

use crate::Cluster;

/// Path of the sample server's service at the API server.
const PROXY: &str = "/api/v1/namespaces/samples/services/data:80/proxy";

/// Address of the sample server as workflows reach it.
pub const IN_CLUSTER: &str = "http://data.samples.svc";

impl Cluster {
    /// `GET` of a path of the sample server, as text.
    pub async fn sample(&self, path: &str) -> anyhow::Result<String> {
        self.kubectl(&["get", "--raw", &format!("{PROXY}{path}")]).await
    }

    /// The last report that was posted under a name.
    pub async fn report(&self, name: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(
            &self.sample(&format!("/reports/{name}")).await?,
        )?)
    }
}
