// The calls of the JSON API; a refusal becomes an Error with the server's own line, and its status.

export const getModels = () => call("/api/models");

export const readPicture = (picture) =>
  call("/api/predict", {
    method: "POST",
    headers: { "Content-Type": picture.type || "application/octet-stream" },
    body: picture,
  });

export const getFeatureMaps = (pixels) =>
  call("/api/feature-maps", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ pixels }),
  });

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  return answer;
}
