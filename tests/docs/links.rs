//! Owns the check of links in Markdown: files that exist, headings that exist.

use std::path::Path;

/// Links of a page that lead nowhere, each as `page:line: link`.
pub fn broken(page: &Path) -> Vec<String> {
    let text = crate::read(page);
    let mut broken = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for link in links(line) {
            if !leads(page, &text, link) {
                let page = page.strip_prefix(crate::root()).unwrap_or(page).display();
                broken.push(format!("{page}:{}: {link}", number + 1));
            }
        }
    }
    broken
}

/// What stands between `](` and `)`.
fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()).collect()
}

fn leads(page: &Path, text: &str, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = page.parent().unwrap().join(file);
    let there = if file.is_empty() { text.to_owned() } else { std::fs::read_to_string(&target).unwrap_or_default() };
    let exists = file.is_empty() || target.exists();
    exists && (heading.is_empty() || there.lines().filter_map(anchor).any(|anchor| anchor == heading))
}

/// The anchor that a forge gives a heading.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    Some(kept.replace(' ', "-"))
}
