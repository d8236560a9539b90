//! stand-in
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingPoint {
    pub cores: u32,
    pub per_second: f64,
}
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    pub sigma: f64,
    pub kappa: f64,
    pub lambda: f64,
    pub relative_error: f64,
}
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extrapolation {
    pub ratio: f64,
    pub low: f64,
    pub high: f64,
}
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("x")]
pub struct ScalingRefusal;
impl Scaling {
    pub fn fit(_: &[ScalingPoint]) -> Result<Self, ScalingRefusal> {
        Err(ScalingRefusal)
    }
    pub fn extrapolate(&self, _: u32, _: u32) -> Result<Extrapolation, ScalingRefusal> {
        Err(ScalingRefusal)
    }
}
