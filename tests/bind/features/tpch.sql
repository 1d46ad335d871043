SELECT n, COUNT(*) FROM (SELECT o.o_custkey AS k, COUNT(*) AS n FROM customer c LEFT JOIN orders o ON c.c_custkey = o.o_custkey GROUP BY o.o_custkey) GROUP BY n
SELECT o.o_custkey, COUNT(*) FROM customer c LEFT JOIN orders o ON c.c_custkey = o.o_custkey GROUP BY o.o_custkey
SELECT COUNT(DISTINCT o.o_custkey) FROM customer c LEFT JOIN orders o ON c.c_custkey = o.o_custkey
SELECT COUNT(*) FROM customer c LEFT JOIN orders o ON c.c_custkey = o.o_custkey LEFT JOIN lineitem l ON l.l_orderkey = o.o_orderkey
SELECT COUNT(*) FROM customer c LEFT JOIN orders o ON c.c_custkey = o.o_custkey JOIN lineitem l ON l.l_orderkey = o.o_orderkey
SELECT COUNT(*) FROM orders o JOIN lineitem l ON l.l_suppkey = o.o_orderkey
SELECT COUNT(*) FROM orders o, lineitem l WHERE l.l_orderkey = o.o_orderkey + 0
SELECT COUNT(*) FROM orders o JOIN lineitem l ON l.l_orderkey = o.o_orderkey OR o.o_orderkey = 1
SELECT COUNT(*) FROM orders o JOIN lineitem l ON l.l_orderkey >= o.o_orderkey
SELECT COUNT(*) FROM customer c, orders o, lineitem l WHERE c.c_custkey = o.o_custkey AND c.c_nationkey = l.l_suppkey
SELECT l_orderkey, SUM(l_quantity) FROM lineitem GROUP BY l_orderkey
SELECT AVG(q) FROM (SELECT l_orderkey, SUM(l_quantity) AS q FROM lineitem GROUP BY l_orderkey)
SELECT c_comment, COUNT(*) FROM customer GROUP BY c_comment
SELECT SUM(l_extendedprice * l_extendedprice * l_extendedprice * l_extendedprice * l_extendedprice) FROM lineitem
SELECT SUM(l_extendedprice * l_discount * l_tax * l_quantity * l_discount * l_tax * l_quantity * l_discount * l_tax * l_quantity) FROM lineitem
SELECT SUM(p_retailprice) FROM lineitem JOIN part ON l_partkey = p_partkey
SELECT p_retailprice, COUNT(*) FROM lineitem JOIN part ON l_partkey = p_partkey GROUP BY 1
SELECT l_partkey, COUNT(*) FROM lineitem GROUP BY 1
SELECT l_shipdate, l_commitdate, COUNT(*) FROM lineitem GROUP BY 1, 2
SELECT l_shipdate, COUNT(*) FROM lineitem GROUP BY 1
SELECT SUM(c_acctbal) FROM customer WHERE c_acctbal > 1e3
SELECT SUM(c_acctbal) FROM customer WHERE c_acctbal > 1000.555
SELECT SUM(c_acctbal) FROM customer WHERE 2 * c_acctbal > 1000.555 AND NOT (c_acctbal < 5)
SELECT COUNT(*) FROM orders o JOIN (SELECT * FROM customer) c ON c.c_custkey = o.o_custkey
SELECT COUNT(*) FROM orders o LEFT JOIN (SELECT * FROM customer WHERE c_acctbal > 0) c ON c.c_custkey = o.o_custkey
SELECT COUNT(*) FROM orders o LEFT JOIN (SELECT o_custkey, COUNT(*) AS n FROM orders GROUP BY o_custkey) c ON c.o_custkey = o.o_custkey
SELECT COUNT(*) FROM (SELECT l_orderkey AS a FROM lineitem) x JOIN (SELECT o_orderkey AS b FROM orders) y ON x.a = y.b
