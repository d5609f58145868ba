// Builds dist/ from src/: one script, one style sheet, the page and its icon. The build is committed and embedded in the
// binary; it depends on nothing but src/ and the locked packages, so that building again gives the same bytes.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const out = process.argv[2] ?? 'dist';
const budget = 60_000; // bytes, gzip, of everything the page loads

// Of uPlot the page draws lines and axes with its own labels, no legend, no zoom, no bands and nothing in step with another
// chart. It registers path builders that are never used, and holds functions for dates, legends, logarithms, joins and drags
// that are never called or have nothing to do; without them it is a seventh smaller.
const unregistered = ['stepped = stepped', 'bars    = bars', 'spline  = monotoneCubic'];
const emptied = ['fmtDate', 'timeAxisStamps', 'timeAxisVals', 'timeSeriesStamp', 'timeSeriesVal', 'initLegendRow', 'syncLegend', 'setLegendValues', 'legendStroke', 'legendFill',
  'rangeLog', 'rangeAsinh', 'logAxisSplits', 'asinhAxisSplits', 'points', 'delSeries', 'dblClick',
  'join', 'clipBandLine', 'mouseDown', 'mouseUp', 'pubSync'];

/** Cuts the body out of a function declaration: from its line to the brace that closes it at the same indentation. */
function empty(source, name) {
  const found = new RegExp(`\\n(\\t*)function ${name}\\([^)]*\\) \\{\\n[\\s\\S]*?\\n\\1\\}\\n`).exec(source);
  if (!found) throw new Error(`uPlot has no function ${name}: look at its new version`);
  return source.replace(found[0], `\n${found[1]}function ${name}() {}\n`);
}

const trim = {
  name: 'trim',
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      for (const builder of unregistered) {
        const line = `(paths.${builder});`;
        if (contents.split(line).length !== 2) throw new Error(`uPlot has no line ${line}: look at its new version`);
        contents = contents.replace(line, '');
      }
      contents = contents.replace(/\n\tconst _timeAxisStamps = \[\n[\s\S]*?\n\t\];\n/, '\n\tconst _timeAxisStamps = [];\n'); // their table
      return { contents: emptied.reduce(empty, contents), loader: 'js' };
    });
    // Indentation inside htm's templates is no text: htm drops it at run time, this drops it before.
    onLoad({ filter: /dashboard\/src\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/\n[ \t]+/g, '\n'), loader: 'js',
    }));
  },
};

await mkdir(out, { recursive: true });
await build({
  entryPoints: { app: 'src/main.js' },
  bundle: true,
  minify: true,
  format: 'esm',
  charset: 'utf8',
  target: ['chrome109', 'firefox115', 'safari16'],
  legalComments: 'none',
  plugins: [trim],
  banner: { js: '/* serin; Preact, htm (Apache-2.0), uPlot (MIT): see dashboard/package.json */' },
  outdir: out,
  logLevel: 'warning',
});
await copyFile('src/index.html', `${out}/index.html`);
await copyFile('src/bird.svg', `${out}/bird.svg`);

let total = 0;
for (const file of ['index.html', 'app.js', 'app.css', 'bird.svg']) {
  const bytes = gzipSync(await readFile(`${out}/${file}`), { level: 9 }).length;
  total += bytes;
  console.log(`${file.padEnd(12)}${String(bytes).padStart(7)} bytes gzip`);
}
console.log(`${'all'.padEnd(12)}${String(total).padStart(7)} of ${budget}`);
if (total > budget) {
  console.error('the page is over its budget');
  process.exit(1);
}
