// The tables of the papers on the embedded model: every method that learns token rows over one grid of learning
// rates and steps, ablations, sizes of the basis and poor initial words. Writes tables.html and tables.md; results are
// kept, one small file a setting, so that a second call goes on where the first stopped and nothing is computed twice.

#include "support/table_report.hpp"
#include "support/table_work.hpp"

#include <persona/core/memory.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  const std::string toyland = PERSONA_SOURCE "/examples/toyland";
  std::string out, cells_folder, pictures;
  persona::LoadOptions load{.dtype = "bf16"};
  tables::Plan plan, asked;
  long threads = static_cast<long>(std::max(1u, std::thread::hardware_concurrency()));
  bool quick = false, report_only = false;
  CLI::App app("Scores Textual Inversion, Cross Initialization, BaTex and their rivals on the embedded model.");
  app.add_flag("--quick", quick, "one of each, two rates, few steps, one picture a prompt: minutes on two cores");
  app.add_flag("--report", report_only, "write the page from the results that there are");
  app.add_option("--out", out, "folder of tables.html and tables.md (docs/tables; out/tables-quick with --quick)");
  app.add_option("--cells", cells_folder, "folder of results (OUT/cells)");
  app.add_option("--pictures", pictures, "folder of pictures, one row a result (out/tables/MODEL-DTYPE)");
  app.add_option("--people", asked.people, "people of the test split")->check(CLI::Range(1, 20));
  app.add_option("--things", asked.things, "animals and objects of the test split")->check(CLI::Range(1, 15));
  app.add_option("--long", asked.long_people, "people who are also trained for 5000 steps")->check(CLI::Range(0, 20));
  app.add_option("--threads", threads, "workers, one run each")->check(CLI::PositiveNumber);
  app.add_option("--dtype", load.dtype, "of UNet and autoencoder")->check(CLI::IsMember({"bf16", "fp32"}));
  app.add_option("--device", load.device, "cpu or cuda");
  CLI11_PARSE(app, argc, argv);
  try {
    if (quick) plan = tables::Plan::quick();
    if (app.count("--people")) plan.people = asked.people;
    if (app.count("--things")) plan.things = asked.things;
    if (app.count("--long")) plan.long_people = asked.long_people;
    if (out.empty()) out = quick ? "out/tables-quick" : PERSONA_SOURCE "/docs/tables";
    if (cells_folder.empty()) cells_folder = out + "/cells";
    const auto held = report_only ? nullptr : tables::hold(cells_folder);
    const auto sd = persona::StableDiffusion::load(toyland + "/model", load);
    const auto names = persona::read_lines(toyland + "/names.txt");
    const auto model = tables::fingerprint(sd, names);
    if (pictures.empty()) pictures = (quick ? "out/tables-quick/" : "out/tables/") + model + "-" + load.dtype;
    const tables::Metrics metrics(sd);
    const tables::Training training;
    const tables::Drawing drawing{.images = plan.images};
    tables::Cells cells(cells_folder, tables::common(model, load, training, drawing));
    const auto studies = tables::Studies::read(plan);
    const tables::Workshop workshop{sd, metrics, names, cells, pictures, training, drawing};
    if (!report_only) tables::compute(workshop, plan, studies, threads);
    tables::write_report(cells, plan, studies, drawing, model, pictures, out);
    std::cout << out << "/tables.html\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
