//! Products, check-ins and scans as a line of a journal writes them. Fields are only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::ledger::{CheckIn, Density, FormData, ParseFormDataError, Scan};
use crate::core::schedule::Product;

/// Which product was planned.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProductJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    strain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<String>,
}

impl From<&Product> for ProductJson {
    fn from(product: &Product) -> Self {
        let Product { strain, form, brand, batch } = product.clone();
        Self { strain, form, brand, batch }
    }
}

impl From<ProductJson> for Product {
    fn from(ProductJson { strain, form, brand, batch }: ProductJson) -> Self {
        Self { strain, form, brand, batch }
    }
}

/// The answers of a check-in; a question that was left out is null.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckInJson {
    form: String,
    language: String,
    answers: BTreeMap<String, Option<u8>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
}

/// One site of a scan; densities are texts, exact as the report prints them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ScanJson {
    region: String,
    bmd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    facility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vertebrae: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    t_score: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    z_score: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lsc: Option<String>,
}

impl From<&CheckIn> for CheckInJson {
    fn from(check_in: &CheckIn) -> Self {
        let CheckIn { form, language, answers, values, changed } = check_in.clone();
        Self { form, language, answers, values, changed }
    }
}

impl From<&Scan> for ScanJson {
    fn from(scan: &Scan) -> Self {
        let Scan { facility, device, device_id, region, side, vertebrae, bmd, t_score, z_score, lsc } =
            scan.clone();
        let (region, bmd) = (region.as_str().to_owned(), bmd.to_string());
        let lsc = lsc.map(|lsc| lsc.to_string());
        Self { region, bmd, facility, device, device_id, side, vertebrae, t_score, z_score, lsc }
    }
}

/// Returns what a check-in or a scan records; a fact has one of them at most.
pub(super) fn form_data(
    check_in: Option<CheckInJson>,
    scan: Option<ScanJson>,
) -> Result<Option<Box<FormData>>, String> {
    let read = |text: &str| text.parse::<Density>().map_err(|error| error.to_string());
    Ok(match (check_in, scan) {
        (None, None) => None,
        (Some(CheckInJson { form, language, answers, values, changed }), None) => {
            Some(Box::new(FormData::CheckIn(CheckIn { form, language, answers, values, changed })))
        }
        (None, Some(scan)) => {
            let ScanJson { region, bmd, facility, device, device_id, side, vertebrae, t_score, z_score, lsc } =
                scan;
            let region = region.parse().map_err(|error: ParseFormDataError| error.to_string())?;
            let (bmd, lsc) = (read(&bmd)?, lsc.as_deref().map(read).transpose()?);
            let scan =
                Scan { facility, device, device_id, region, side, vertebrae, bmd, t_score, z_score, lsc };
            Some(Box::new(FormData::Scan(scan)))
        }
        (Some(_), Some(_)) => return Err("a fact is a check-in or a scan".to_owned()),
    })
}
