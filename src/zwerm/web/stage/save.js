/** Put something where the browser puts what is fetched, or into the node's Files. */
import { notify } from "../parts/notices.js";
import { upload } from "../uploads.js";

const KEPT = 60_000; // milliseconds for which its address is good

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

/** @param {File} file @param {string} folder of Files @param {string} said once it is there */
export async function keepInFiles(file, folder, said) {
  const gathered = { files: [{ path: file.name, file }], directories: [] };
  if (await upload(Promise.resolve(gathered), folder, () => file.name)) notify(said);
  else save(file, file.name); // its line in the tray says why; nothing is lost
}
