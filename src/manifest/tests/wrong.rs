use super::*;
#[test]
fn print_all() {
    let show = |t: &str, m: Vec<String>| { eprintln!("== {t}"); for x in m { eprintln!("   {x}"); } };
    for t in [
        "[task.a]\nruns = [\"x\"]\n",
        "[task.a]\n",
        "[task.a]\nrun = [\"x\"]\nshell = \"y\"\n",
        "[task.a]\nkubectl = { apply = \"x\" }\n",
        "[task.a]\nrun = \"make all\"\n",
        "[task.a]\nrun = []\n",
        "[task.a]\nrun = [\"a\", [\"b\"]]\n",
        "[task.a]\nrun = [\"x\"]\ntimeout = \"10 sec\"\neffect = \"idempotnt\"\nwatch = \"true\"\nneeds = 3\ntags = [1]\ngrace = 5\n",
        "[task.a]\nrun = [\"x\"]\nneeds = [\"b-tsk\", \"stage:zz\", \"tag:q\", \"x*\", \"+b-task\"]\n[task.b-task]\nrun = [\"x\"]\n",
        "[task.a]\nrun = [\"x\"]\nneeds = [\"c\"]\n[task.b]\nrun = [\"x\"]\nneeds = [\"a\"]\n[task.c]\nrun = [\"x\"]\nafter = [\"b\"]\n",
        "[task.a]\nrun = [\"x\"]\nneeds = [\"a\"]\n",
        "[task.a]\nrun = [\"x\"]\noutputs = [\"o\"]\n[task.b]\nrun = [\"x\"]\noutputs = [\"o\", \"d/\", \"d/e\"]\n[task.c]\nrun = [\"x\"]\noutputs = [\"d/f\", \"*.x\", \"/abs\", \"../up\", \".\"]\n",
        "[task.a]\nrun = [\"x\", \"{{ vars.nme }}\", \"{{ nme }}\", \"{{ item }}\", \"{{ matrix.x }}\", \"{{ secrets.t }}\", \"{{ out.x }}\", \"{{ x\", \"{{ tasks.b.x }}\", \"{{ tasks.a.k }}\"]\n",
        "[task.a]\nrun = [\"x\"]\nexports = { ips = \"list<ip>\", q = \"lst<ip>\" }\n[task.b]\nshell = \"{{ tasks.a.ip }} {{ tasks.a.ips }} {{ tasks.ab.x }}\"\n",
        "[task.a]\nrun = [\"x\"]\n[task.b]\nshell = \"{{ tasks.a.ip }}\"\nneeds = [\"{{ tasks.a.ip }}\"]\noutputs = [\"{{ secrets.x }}\"]\n",
        "[task.a]\nrun = [\"x\"]\ninputs = [\"missing.txt\", \"a[b\", \"x/**y\", \"/etc/passwd\"]\n",
        "[task.a]\nrun = [\"x\"]\noutputs = [\"b/o.yml\"]\n[task.b]\nrun = [\"x\"]\ninputs = [\"b/*.yml\"]\n",
        "[task.a]\nrun = [\"x\"]\noutputs = [\"o\"]\ninputs = [\"o\"]\n",
        "[task.a]\nrun = [\"x\"]\neffect = \"once\"\nretry = { max = 1 }\nttl = \"5m\"\n[task.b]\nrun = [\"x\"]\nretry = { backoff = \"60s..5s\" }\n",
        "[task.a]\nrun = [\"x\"]\npool = \"api\"\nprobe = { tcp = \"x\", http = \"y\" }\nready = [{ within = \"5m\" }]\nenvs = [\"prod\"]\n[task.a.override.stagin]\nrun = [\"y\"]\noverride = {}\n",
        "[task.a]\nrun = [\"x\"]\nwas = [\"b\"]\n[task.b]\nrun = [\"x\"]\nwas = [\"old\"]\n[task.c]\nrun = [\"x\"]\nwas = [\"old\"]\n",
        "[task.a-b]\nrun = [\"x\"]\n[task.a_b]\nrun = [\"x\"]\n[task.\"x y\"]\nrun = [\"x\"]\n",
        "[task.a]\nforeach = [\"x\", \"x\", { b = 1 }, \"q[\"]\nrun = [\"x\"]\n[task.b]\nforeach = \"abc\"\nrun = [\"x\"]\nmatrix = { a = \"x\" }\n[task.c]\nforeach = \"{{ vars.q }}\"\nrun = [\"x\"]\n",
        "[tasks.a]\nrun = [\"x\"]\n[lint]\nrun = [\"x\"]\n",
        "[task.a]\nrun = [\"x\"\n[task.b]\nrunn = [\"x\"]\n",
        "[task.a]\ntemplate = { from = \"t/x.j2\" }\n[task.b]\ntemplate = \"x\"\n[task.c]\ntemplate = { from = \"x.j2\", to = \"y\", mode = \"999\" }\n",
        "[task.a]\nundo_of = \"b\"\n[task.b]\nundo_of = \"c\"\n[task.c]\nrun = [\"x\"]\n",
        "[task.h]\nforeach = [\"x\"]\nrun = [\"x\"]\nexports = { ip = \"ip\" }\n[task.u]\nshell = \"{{ tasks.h['y'].ip }} {{ tasks.h['x'].pi }} {{ tasks.h.x.ip }}\"\nneeds = [\"h[z]\"]\n",
    ] { show(t, mistakes(t)); }
    for (i, t) in [
        ("[projct]\n[task.x]\n[project]\nnme = 1\ndefault_env = \"prod\"\n[env.dev]\napprove = \"sometimes\"\nvars_file = \"env/x.toml\"\n[secrets]\na = \"x\"\nb = { env = \"A\", file = \"b\" }\n[pools]\np = 0\n[include]\nq = \"nope\"\n[requires]\nt = \"new\"\nu = 1\n[vars]\nx = \"{{ vars.y }}\"\n", "[task.a]\nrun = [\"x\"]\n"),
        ("[env.dev]\n", "[task.a]\nenvs = [\"dev\"]\nrun = [\"x\"]\nexports = { k = \"int\" }\n[task.b]\nshell = \"{{ tasks.a.k }}\"\n"),
        ("[vars]\nworkers = 1\n", "[task.a]\nshell = \"{{ workers }} {{ vars.wrkers }}\"\n"),
    ] { show(i, mistakes_with(i, t)); }
    show("set", mistakes_in(&[("infra.toml", "[vars]\nworkers = 1\n")], &Options { env: Some("dve".into()), set: vec![("wrkers".into(), "1".into())] }));
    show("tf", mistakes_in(&[("t/x.j2", "a {{ vars.q }}\n{% include 'prt.j2' %}"), ("t/part.j2", ""), ("u/y.j2", "{{ vars.q }} {{ secrets.s }} {{ tasks.zz.k }}"), ("tasks/a.toml", "[task.a]\ntemplate = [{ from = \"t/x.j2\", to = \"o\" }, { from = \"u/y.j2\", to = \"o2\" }, {from = \"t/prt.j2\", to = \"o3\"}]\n")], &Options::default()));
}
