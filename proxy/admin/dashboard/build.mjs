// Builds dist/ from src/: one script, one style sheet, the page and its icon. The build is committed and embedded in the
// binary; it depends on nothing but src/ and the locked packages, so that building again gives the same bytes.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const out = process.argv[2] ?? 'dist';
const budget = 60 * 1024; // bytes, gzip, of everything the page loads

// uPlot registers path builders that this page never draws with; without the registration the bundler leaves them out.
const unused = ['stepped = stepped', 'bars    = bars', 'spline  = monotoneCubic'];

const trim = {
  name: 'trim',
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      for (const builder of unused) {
        const line = `(paths.${builder});`;
        if (contents.split(line).length !== 2) throw new Error(`uPlot has no line ${line}: look at its new version`);
        contents = contents.replace(line, '');
      }
      return { contents, loader: 'js' };
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
