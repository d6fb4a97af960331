// SPDX-License-Identifier: Apache-2.0
// Exporting tickets: create a job, poll it, and download its file.
'use strict';
Object.assign(words.zh, {
	export_csv: '导出 CSV',
	exporting: '正在导出…',
	export_done: '已导出 {n} 个工单',
	export_cut: '已导出 {n} 个工单：已达导出上限，文件不完整，请缩小范围',
});
Object.assign(words.en, {
	export_csv: 'Export CSV',
	exporting: 'Exporting…',
	export_done: '{n} tickets exported',
	export_cut: '{n} tickets exported: there are more than one export can hold, so narrow the range',
});
const EXPORT_LOOK_MS = 400;

async function exportTickets() {
	const job = await api('POST', '/api/v1/client/export/data', {
		export_type: 'ticket_data',
		format: 'csv',
	});
	for (;;) {
		const e = await api('GET', '/api/v1/client/export/data/' + job.export_id);
		if (e.status === 'completed') return e;
		if (e.status !== 'processing') throw new Error(e.error_text);
		await new Promise((ok) => setTimeout(ok, EXPORT_LOOK_MS));
	}
}
$('export').onclick = async () => {
	const b = $('export');
	b.disabled = true;
	b.textContent = t('exporting');
	try {
		const e = await exportTickets(),
			link = el('a');
		link.href = e.download_url;
		link.click();
		toast(t(e.complete === false ? 'export_cut' : 'export_done').replace('{n}', e.records));
	} catch (x) {
		toast(x.message, 'bad');
	}
	b.disabled = false;
	b.textContent = t('export_csv');
};
function offerExport() {
	$('export').hidden = !(
		state.me &&
		state.me.kind === 'customer' &&
		(state.me.permissions || []).includes('report:export')
	);
}
/* Who only reads, such as an auditor, is offered no new ticket. */
function offerNew() {
	$('new').hidden = !(state.me && (state.me.permissions || []).includes('ticket:write'));
}
document.addEventListener('entered', offerNew);
document.addEventListener('entered', offerExport);
document.addEventListener('left', offerExport);
translate();
offerExport();
