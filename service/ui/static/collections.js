// Collections: makes one, says who sees it, copies its public link, deletes it.

import { call } from "./api.js";
import { text } from "./text.js";
import { attempt, toast } from "./toast.js";

const make = document.getElementById("make");
make?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, visibility } = make.elements;
  attempt(async () => {
    const { id } = await call("POST", "/collections", { name: name.value, visibility: visibility.value });
    location.assign(`/ui/collections/${id}`);
  });
});

const path = `/collections/${document.getElementById("collection")?.dataset.id}`;
const sharing = document.getElementById("sharing");
sharing?.addEventListener("change", () => attempt(async () => {
  await call("PUT", path, { visibility: sharing.value });
  location.reload();
}));

const copy = document.getElementById("copy");
copy?.addEventListener("click", async () => {
  await navigator.clipboard.writeText(new URL(copy.dataset.path, location.href).href);
  toast(text("copied"));
});

const dialog = document.getElementById("delete-dialog");
document.getElementById("delete")?.addEventListener("click", () => dialog.showModal());
dialog?.addEventListener("close", () => dialog.returnValue === "delete" && attempt(async () => {
  await call("DELETE", path);
  location.replace("/ui/collections");
}));
