//! Compares the response types of the spec with the schemas of the document.
//!
//! A type of the spec and its schema in the document have different names. Therefore the comparison
//! starts with the response type and the response schema of each operation. From there, the fields
//! of the type and the schema are compared recursively.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    contract,
    drift::{
        Differences,
        compare::sets,
        document::{Document, schema_name},
    },
    spec::{Spec, Type},
    ty::Ty,
};

/// The fields of a page, which is handwritten in `spot-model`.
const PAGE: &[&str] = &["href", "items", "limit", "next", "offset", "previous", "total"];

/// The fields of a page with a cursor.
const CURSOR_PAGE: &[&str] = &["cursors", "href", "items", "limit", "next", "total"];

/// The fields whose values are derived from the type and the id of an object.
const DERIVED: &[&str] = &["external_urls", "href", "type", "uri"];

pub(super) fn compare(spec: &Spec, document: &Document, differences: &mut Differences) {
    let mut walk =
        Walk { spec, document, differences, met: BTreeMap::new(), paired: BTreeSet::new() };
    let operations = document.operations();
    for (_, op) in spec.ops() {
        let schema = operations.get(&op.call).and_then(|there| document.answer(there).schema);
        let (Some(schema), Ok(returns)) = (schema, Ty::parse(&op.returns)) else { continue };
        let call = op.route();
        match &op.unwrap {
            None => walk.pair(&call, schema, &returns),
            Some(field) => match document.fields(schema).get(field) {
                Some(schema) => walk.pair(&call, schema, &returns),
                None => walk
                    .differences
                    .add(format!("{call}: the response has no `{field}` in the document")),
            },
        }
    }
    walk.finish();
}

struct Walk<'a> {
    spec: &'a Spec,
    document: &'a Document,
    differences: &'a mut Differences,
    /// For each type, the fields of all schemas that were compared with this type.
    met: BTreeMap<String, BTreeMap<String, &'a Value>>,
    /// The pairs of a type and a schema that were already compared.
    paired: BTreeSet<(String, *const Value)>,
}

impl<'a> Walk<'a> {
    /// Compares a type with a schema, recursively.
    fn pair(&mut self, name: &str, schema: &'a Value, ty: &Ty) {
        let kind = self.document.kind(schema);
        let inside = |name: &str| self.document.fields(schema).get(name).copied();
        match ty {
            Ty::Optional(inner) | Ty::Boxed(inner) => self.pair(name, schema, inner),
            Ty::List(inner) => match self.document.resolve(schema).get("items") {
                Some(items) => self.pair(name, items, inner),
                None => self.shape(name, kind, "a list"),
            },
            Ty::Page(inner) | Ty::CursorPage(inner) => {
                let Some(items) = inside("items") else { return self.shape(name, kind, "a page") };
                let known = if matches!(ty, Ty::Page(_)) { PAGE } else { CURSOR_PAGE };
                let there = self.document.fields(schema);
                let there = there.keys().map(String::as_str).collect();
                let known = known.iter().copied().collect();
                sets(&format!("{name}: the page"), "field", &there, &known, self.differences);
                self.pair(name, items, &Ty::List(inner.clone()));
            }
            Ty::Named(kind) if kind == "PlayableItem" => {
                for choice in self.document.choices(schema) {
                    let kind = schema_name(choice).trim_end_matches("Object");
                    self.pair(name, choice, &Ty::Named(kind.to_owned()));
                }
            }
            Ty::Named(kind) => self.named(name, schema, kind),
            scalar => {
                let wanted: &[&str] = match scalar {
                    Ty::Bool => &["boolean"],
                    Ty::Int(_) | Ty::Float(_) | Ty::Seconds => &["integer", "number"],
                    Ty::Duration | Ty::UnixMillis => &["integer"],
                    _ => &["string"],
                };
                if !kind.is_empty() && !wanted.contains(&kind) {
                    self.shape(name, kind, wanted.first().copied().unwrap_or_default());
                }
            }
        }
    }

    fn named(&mut self, name: &str, schema: &'a Value, kind: &str) {
        if let Some(object) = self.spec.kind(kind) {
            // If the document allows several schemas, the type is compared with the schema that has
            // the same name.
            let choices = self.document.choices(schema);
            let chosen = choices
                .into_iter()
                .find(|choice| schema_name(choice).trim_end_matches("Object") == kind);
            return self.object(kind, chosen.unwrap_or(schema), object);
        }
        let ty = Ty::Named(kind.to_owned());
        if let Some(here) = contract::enum_values(self.spec, &ty)
            && let Some(there) = self.document.values(schema)
        {
            // The models ignore case when they decode enum values.
            let lower = |value: &str| value.to_ascii_lowercase();
            let here: Vec<_> = here.iter().map(|value| lower(value)).collect();
            let there: Vec<_> = there.into_iter().map(lower).collect();
            let here = here.iter().map(String::as_str).collect();
            let there = there.iter().map(String::as_str).collect();
            sets(&format!("enum {kind}"), "value", &there, &here, self.differences);
        }
        let wanted = if kind == "CountrySet" { "array" } else { "string" };
        let there = self.document.kind(schema);
        if !there.is_empty() && there != wanted {
            self.shape(name, there, wanted);
        }
    }

    fn object(&mut self, kind: &str, schema: &'a Value, object: &Type) {
        let schema = self.document.resolve(schema);
        let fields = self.document.fields(schema);
        self.met.entry(kind.to_owned()).or_default().extend(fields.clone());
        if !self.paired.insert((kind.to_owned(), std::ptr::from_ref(schema))) {
            return;
        }
        for field in &object.fields {
            let names = [Some(field.json()), field.renamed_from.as_deref()];
            for there in names.into_iter().flatten().filter_map(|name| fields.get(name)) {
                // In the spec, the field `uri` of a track has the type `LocalFile`. In the
                // document, the field is a string.
                let is_uri = field.json() == "uri";
                let name = format!("type {kind}: field `{}`", field.json());
                let ty = if is_uri { Ty::Text } else { field.ty.clone() };
                self.pair(&name, there, &ty);
            }
        }
        if let (Some(object), Some(values)) =
            (&object.object, fields.get("type").and_then(|kind| self.document.values(kind)))
        {
            let here = [object.as_str()].into();
            sets(&format!("type {kind}: field `type`"), "value", &values, &here, self.differences);
        }
    }

    fn shape(&mut self, name: &str, there: &str, here: &str) {
        let there = if there.is_empty() { "another type" } else { there };
        self.differences.add(format!("{name}: {there} in the document, {here} in the spec"));
    }

    /// Reports the fields that are only in the spec or only in the document. Call this method when
    /// all schemas of each type are known.
    fn finish(self) {
        for (name, kind) in self.spec.types() {
            let Some(there) = self.met.get(name) else {
                self.differences.add(format!("type {name} is only in the spec"));
                continue;
            };
            // The document does not list the fields of this object, so there is nothing to compare.
            if there.is_empty() {
                continue;
            }
            let there: BTreeSet<&str> = there.keys().map(String::as_str).collect();
            let mut here: BTreeSet<&str> = kind.fields.iter().map(|field| field.json()).collect();
            // The spec lists neither derived fields nor the old names of renamed fields.
            let mut read: BTreeSet<&str> =
                kind.fields.iter().filter_map(|field| field.renamed_from.as_deref()).collect();
            if kind.object.is_some() {
                read.extend(DERIVED);
            }
            if here.contains("release_date") {
                read.insert("release_date_precision");
            }
            here.extend(there.intersection(&read));
            sets(&format!("type {name}"), "field", &there, &here, self.differences);
        }
    }
}
