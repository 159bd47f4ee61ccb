//! The custom resource types of FlowPilot and what one object alone can be checked for.
