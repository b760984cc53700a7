//! Generates the code that writes the parameters of a request, in the order of the spec.

use crate::{
    codegen::api::params::{is_copied, is_parsed},
    spec::{Join, Op, PagingBy, Param, SendAs, UploadKind},
    ty::Ty,
};

/// The body of the method `request`, which adds the parameters in the order of the spec.
pub(super) fn build(op: &Op, chunk: Option<(&str, Join)>) -> String {
    let mut out = String::from("        Request::new(Self::OPERATION)\n");
    let chunk_by = chunk.map(|(by, _)| by);
    for param in op.path.iter().filter(|param| param.constant.is_none()) {
        let call = if is_parsed(&param.ty) { "path_id" } else { "path" };
        out.push_str(&format!("            .{call}(\"{}\", &self.{})\n", param.name, param.rust()));
    }
    // If the caller sets a time, the ids are sent in the body instead of the query.
    let timestamps = op.body.iter().find(|param| param.send == Some(SendAs::Timestamped));
    for param in &op.query {
        let is_chunk = chunk_by == Some(&param.name);
        let call = match timestamps {
            Some(times) if is_chunk => format!(
                ".query_list(\"{0}\", {1}.iter().filter(|_| self.{2}.is_none()))",
                param.name,
                param.rust(),
                times.rust()
            ),
            _ => query(param, is_chunk),
        };
        out.push_str(&format!("            {call}\n"));
    }
    if !op.attributes.is_empty() {
        out.push_str("            .attributes(&self.attributes)\n");
    }
    if op.market {
        out.push_str("            .market(self.client.market(), self.market.as_ref())\n");
    }
    if let Some(paging) = &op.paging {
        out.push_str("            .limit(self.limit)\n");
        if paging.by != PagingBy::Cursor {
            out.push_str("            .query_opt(\"offset\", self.offset)\n");
        }
    }
    if let Some(upload) = &op.upload {
        let UploadKind::Jpeg = upload.kind;
        out.push_str(&format!(
            "            .jpeg(\"{0}\", &self.{0}, {1})\n",
            upload.name, upload.max
        ));
    }
    if !op.body.is_empty() {
        out.push_str("            .body_fields(Body::new()");
        for param in &op.body {
            out.push_str(&body_field(param, chunk));
        }
        out.push_str(")\n");
    }
    out
}

fn query(param: &Param, is_chunk: bool) -> String {
    let Param { name, .. } = param;
    let field = param.rust();
    if let Some(constant) = &param.constant {
        return format!(".query(\"{name}\", {constant:?})");
    }
    if param.ty == Ty::Named("Fields".to_owned()) {
        let call = if param.send == Some(SendAs::Page) { "page_fields" } else { "fields" };
        return format!(".{call}(\"{name}\", self.{field}.as_ref())");
    }
    if param.ty == Ty::Named("SearchQuery".to_owned()) {
        return format!(".search_query(\"{name}\", &self.{field})");
    }
    if is_chunk {
        return format!(".query_list(\"{name}\", {field})");
    }
    let value = match (&param.ty, param.required) {
        (Ty::List(kind), _) if param.send == Some(SendAs::All) => {
            return format!(".query_list_or(\"{name}\", &self.{field}, {}::ALL)", kind.rust());
        }
        (Ty::List(kind), false) if is_parsed(kind) => {
            return format!(".query_ids(\"{name}\", self.{field}.as_ref())");
        }
        (Ty::List(_), _) => return format!(".query_list(\"{name}\", &self.{field})"),
        (ty, true) if is_parsed(ty) => {
            return format!(".query_id(\"{name}\", Some(&self.{field}))");
        }
        (ty, false) if is_parsed(ty) => {
            return format!(".query_id(\"{name}\", self.{field}.as_ref())");
        }
        (Ty::Duration, true) => return format!(".query(\"{name}\", self.{field}.as_millis())"),
        (Ty::Duration, false) => format!("self.{field}.map(|{field}| {field}.as_millis())"),
        (Ty::UnixMillis, _) => format!("self.{field}.map(|{field}| {field}.timestamp_millis())"),
        (ty, true) if is_copied(ty) => {
            return match (param.min, param.max) {
                (Some(min), Some(max)) => {
                    format!(".query_in(\"{name}\", self.{field}.into(), {min}..={max})")
                }
                _ => format!(".query(\"{name}\", self.{field})"),
            };
        }
        (ty, false) if is_copied(ty) => format!("self.{field}"),
        (_, true) => return format!(".query(\"{name}\", &self.{field})"),
        (_, false) => format!("self.{field}.as_ref()"),
    };
    format!(".query_opt(\"{name}\", {value})")
}

fn body_field(param: &Param, chunk: Option<(&str, Join)>) -> String {
    let Param { name, .. } = param;
    let field = param.rust();
    if param.send == Some(SendAs::List) {
        return format!(".id_list(\"{name}\", &self.{field})");
    }
    if let Some((by, join)) = chunk {
        if by == name {
            return match param.send {
                Some(SendAs::Objects) => format!(".uri_objects(\"{name}\", {field})"),
                _ => format!(".field(\"{name}\", {field})"),
            };
        }
        if param.send == Some(SendAs::Timestamped) {
            return format!(".timestamped(\"{name}\", {by}, self.{field}.as_ref())");
        }
        if join == Join::Position && name == "position" {
            return format!(".optional(\"{name}\", chunks::position(self.{field}, done))");
        }
        if join == Join::Snapshot && name == "snapshot_id" {
            return format!(".snapshot(\"{name}\", {field}, self.{field}.as_ref())");
        }
    }
    match (&param.ty, param.required) {
        (ty, true) if is_parsed(ty) => format!(".id(\"{name}\", Some(&self.{field}))"),
        (ty, false) if is_parsed(ty) => format!(".id(\"{name}\", self.{field}.as_ref())"),
        (Ty::Duration, _) => {
            format!(".optional(\"{name}\", self.{field}.map(|{field}| {field}.as_millis()))")
        }
        (_, true) => format!(".field(\"{name}\", &self.{field})"),
        (_, false) => format!(".optional(\"{name}\", self.{field}.as_ref())"),
    }
}
