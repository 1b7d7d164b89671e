// SPDX-License-Identifier: Apache-2.0
// tuf-js beside us: reads a repository, and writes one of the same shape. The command line is that of peer.py.
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { Updater } = require("tuf-js");
const { Key, MetaFile, Metadata, Root, Signature, Snapshot, TargetFile, Targets, Timestamp } = require("@tufjs/models");

const sha256 = (data) => crypto.createHash("sha256").update(data).digest("hex");

async function read(url, root, work, ...targets) {
        for (const sub of ["metadata", "targets"])
                fs.mkdirSync(path.join(work, sub), { recursive: true });
        fs.copyFileSync(root, path.join(work, "metadata", "root.json"));
        const updater = new Updater({
                metadataDir: path.join(work, "metadata"),
                metadataBaseUrl: url + "/metadata",
                targetDir: path.join(work, "targets"),
                targetBaseUrl: url + "/targets",
        });
        await updater.refresh();
        for (const target of targets) {
                const info = await updater.getTargetInfo(target);
                if (!info)
                        throw new Error(target + ": not listed");
                const file = await updater.downloadTarget(info, path.join(work, "targets", path.basename(target)));
                console.log(sha256(fs.readFileSync(file)), target, JSON.stringify(info.custom));
        }
}

async function write(folder, keyFile, bundle, customText) {
        const secret = crypto.createPrivateKey(fs.readFileSync(keyFile));
        const custom = JSON.parse(customText);
        const name = `bundles/${custom.bundle}-${custom.version}.tar.zst`;
        const raw = crypto.createPublicKey(secret).export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
        const object = { keytype: "ed25519", keyval: { public: raw }, scheme: "ed25519" };
        const keyID = sha256(JSON.stringify(object));
        const key = Key.fromJSON(keyID, object);
        const expires = new Date(Date.now() + 30 * 86400 * 1000).toISOString().replace(/\.\d+Z$/, "Z");
        const common = { version: 1, specVersion: "1.0.31", expires };

        for (const sub of ["metadata", "targets/bundles", "targets/rollouts"])
                fs.mkdirSync(path.join(folder, sub), { recursive: true });
        const save = (file, signed) => {
                const metadata = new Metadata(signed);
                metadata.sign((data) => new Signature({ keyID, sig: crypto.sign(undefined, data, secret).toString("hex") }));
                const data = Buffer.from(JSON.stringify(metadata.toJSON(), null, 1));
                fs.writeFileSync(path.join(folder, "metadata", file), data);
                return new MetaFile({ version: 1, length: data.length, hashes: { sha256: sha256(data) } });
        };

        const root = new Root({ ...common, consistentSnapshot: true });
        for (const role of ["root", "targets", "snapshot", "timestamp"])
                root.addKey(key, role);
        save("1.root.json", root);
        const data = fs.readFileSync(bundle);
        const entry = new TargetFile({ path: name, length: data.length, hashes: { sha256: sha256(data) }, unrecognizedFields: { custom } });
        fs.writeFileSync(path.join(folder, "targets/bundles", sha256(data) + "." + path.basename(name)), data);
        const role = (name) => ({ name, keyids: [keyID], threshold: 1, terminating: true, paths: [name + "/*"] });
        const targets = Targets.fromJSON({
                _type: "targets", version: 1, spec_version: common.specVersion, expires, targets: {},
                delegations: { keys: { [keyID]: object }, roles: [role("bundles"), role("rollouts")] },
        });
        const meta = {
                "targets.json": save("1.targets.json", targets),
                "bundles.json": save("1.bundles.json", new Targets({ ...common, targets: { [name]: entry } })),
                "rollouts.json": save("1.rollouts.json", new Targets({ ...common, targets: {} })),
        };
        save("timestamp.json", new Timestamp({ ...common, snapshotMeta: save("1.snapshot.json", new Snapshot({ ...common, meta })) }));
        console.log(keyID);
}

({ read, write })[process.argv[2]](...process.argv.slice(3)).catch((error) => {
        console.error(String(error && error.message));
        process.exit(1);
});
