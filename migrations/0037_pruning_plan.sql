-- Nothing is known of the sizes of transition tables when the check is planned; a nested loop over 5,000 rows and 5,000 takes seconds.
alter function ledger.check_pruning() set enable_nestloop = off;
