// Writes the name, version, licence and licence text of every package that is part of a bundle: node licences.js META.
const fs = require("node:fs");
const path = require("node:path");

const parts = Object.values(JSON.parse(fs.readFileSync(process.argv[2], "utf8")).outputs)[0].inputs;
const folders = new Map();
for (const [file, { bytesInOutput }] of Object.entries(parts)) {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  if (found && bytesInOutput) folders.set(found[1], true);
}
const packages = [...folders.keys()].map((folder) => {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const texts = fs.readdirSync(folder).filter((file) => /^(licen[cs]e|copying|copyright)/i.test(file));
  const text = texts.sort().map((file) => fs.readFileSync(path.join(folder, file), "utf8").trim()).join("\n\n");
  return { name, version, license, text: text || "(the package has no text of its own)" };
});
packages.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
console.log("The packages in helia.js\n");
for (const { name, version, license } of packages) console.log(`${name} ${version} ${license}`);
for (const { name, version, text } of packages) console.log(`\n${"=".repeat(80)}\n${name} ${version}\n\n${text}`);
