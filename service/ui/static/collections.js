// Collections: makes one, says who sees it, copies its public link, deletes it.

import { call, Refusal } from "./api.js";
import { text } from "./text.js";
import { toast } from "./toast.js";

async function ask(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(error.message);
  }
}

const make = document.getElementById("make");
make?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, visibility } = make.elements;
  ask(async () => {
    const { id } = await call("POST", "/collections", { name: name.value, visibility: visibility.value });
    location.assign(`/ui/collections/${id}`);
  });
});

const path = `/collections/${document.getElementById("collection")?.dataset.id}`;
const sharing = document.getElementById("sharing");
sharing?.addEventListener("change", () => ask(async () => {
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
dialog?.addEventListener("close", () => dialog.returnValue === "delete" && ask(async () => {
  await call("DELETE", path);
  location.replace("/ui/collections");
}));
