SELECT kind, COUNT(*), COUNT(score), COUNT(DISTINCT person), COUNT(DISTINCT note), APPROX_COUNT_DISTINCT(note) FROM visits GROUP BY kind
SELECT SUM(cost), SUM(DISTINCT score), AVG(cost), AVG(DISTINCT score), COUNT_IF(score > 0) FROM visits
SELECT VARIANCE(cost), VAR_POP(cost), VAR_SAMP(cost), STDDEV(cost), STDDEV_POP(cost), STDDEV_SAMP(cost), SEM(cost) FROM visits
SELECT COVAR_POP(cost, score), COVAR_SAMP(cost, score), CORR(cost, score) FROM visits
SELECT REGR_SLOPE(cost, score), REGR_INTERCEPT(cost, score), REGR_R2(cost, score), REGR_COUNT(cost, score), REGR_AVGX(cost, score), REGR_SXY(cost, score) FROM visits
SELECT kind, SUM(cost * ABS(score)) / SUM(ABS(score)) FROM visits GROUP BY kind
SELECT SKEWNESS(score), KURTOSIS(score) FROM visits
SELECT MEDIAN(cost), QUANTILE_CONT(cost, 0.9), QUANTILE_DISC(cost, [0.25, 0.5, 0.75]), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY cost), PERCENTILE_DISC(0.1) WITHIN GROUP (ORDER BY cost DESC) FROM visits
SELECT kind, MIN(cost), MAX(cost), MODE(score), MODE(kind) FROM visits GROUP BY kind
SELECT HISTOGRAM(cost, [0, 50, 100]), HISTOGRAM(kind) FROM visits
SELECT width_bucket(cost, -50, 200, 5) AS b, COUNT(*) FROM visits GROUP BY b
SELECT CASE WHEN cost < 0 THEN 'back' WHEN cost < 100 THEN 'low' ELSE 'high' END AS band, COUNT(*) FROM visits GROUP BY band
SELECT note, COUNT(*) FROM visits GROUP BY note ORDER BY COUNT(*) DESC LIMIT 3
SELECT kind, urgent, COUNT(*), SUM(cost), GROUPING(kind, urgent) FROM visits GROUP BY ROLLUP (kind, urgent)
SELECT kind, urgent, AVG(cost), COUNT(DISTINCT person) FROM visits GROUP BY CUBE (kind, urgent)
SELECT kind, urgent, MEDIAN(cost) FROM visits GROUP BY GROUPING SETS ((kind, urgent), kind, ())
SELECT DISTINCT kind, urgent FROM visits
SELECT COUNT(*) FROM (SELECT DISTINCT kind, note FROM visits)
SELECT COUNT(DISTINCT kind) FROM (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind HAVING COUNT(*) > 5)
SELECT p.sex, COUNT(*) FROM people p JOIN visits v USING (person) GROUP BY p.sex
SELECT p.sex, COUNT(v.visit) FROM people p LEFT JOIN visits v ON v.person = p.person AND v.score > 0 GROUP BY p.sex
SELECT p.sex, COUNT(*) FROM visits v RIGHT JOIN people p USING (person) GROUP BY p.sex
SELECT COUNT(*), COUNT(p.sex) FROM people p FULL JOIN visits v USING (person)
SELECT COUNT(*) FROM people p SEMI JOIN visits v USING (person)
SELECT COUNT(*) FROM people p ANTI JOIN visits v USING (person)
SELECT sex, COUNT(*) FROM people NATURAL JOIN visits GROUP BY sex
SELECT COUNT(*) FROM people p, visits v WHERE p.person = v.person
SELECT COUNT(*) FROM visits v JOIN visits w ON v.person = w.person AND v.day < w.day
SELECT b.band, COUNT(*) FROM visits v JOIN bands b ON v.score >= b.score JOIN visits w ON w.score = b.score AND w.person = v.person GROUP BY b.band
WITH k AS (SELECT kind, AVG(cost) AS m FROM visits GROUP BY kind) SELECT COUNT(*) FROM visits v JOIN k ON v.kind = k.kind WHERE v.cost > k.m
WITH k AS (SELECT kind, AVG(cost) AS m FROM visits GROUP BY kind) SELECT k.kind, COUNT(v.visit) FROM k LEFT JOIN visits v ON v.kind = k.kind GROUP BY k.kind
SELECT a.area, COUNT(p.person), COUNT(*) FROM areas a LEFT JOIN people p USING (area) GROUP BY a.area
SELECT d.day, COUNT(v.visit) FROM (SELECT CAST(x AS DATE) AS day FROM generate_series(DATE '2019-11-01', DATE '2020-03-31', INTERVAL 1 DAY) AS s(x)) d LEFT JOIN visits v ON v.day = d.day GROUP BY d.day
SELECT COUNT(*) FROM visits v WHERE EXISTS (SELECT 1 FROM items i WHERE i.visit = v.visit)
SELECT COUNT(*) FROM visits v WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.visit = v.visit)
SELECT COUNT(*) FROM visits WHERE (kind, score) IN (('new', 1), ('again', NULL), (NULL, 2))
SELECT COUNT(*) FROM visits WHERE NOT ((kind, score) NOT IN (('new', 1), ('again', NULL))) AND (urgent) IN (TRUE)
SELECT COUNT(*), COUNT_IF(score = ANY([1, 2, NULL])), COUNT_IF(kind <> ALL(['new', 'none'])) FROM visits
SELECT area FROM areas WHERE (area, province) NOT IN (('n', 'north'), ('s', NULL))
SELECT COUNT(*) FROM visits WHERE person IN (SELECT person FROM people WHERE height > 150)
SELECT COUNT(*) FROM visits WHERE person NOT IN (SELECT person FROM people WHERE height > 150)
SELECT COUNT(*) FROM visits v WHERE v.score >= ALL (SELECT w.score FROM visits w WHERE w.person = v.person)
SELECT COUNT(*) FROM visits WHERE score = ANY (SELECT score FROM bands)
SELECT COUNT(*) FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)
SELECT COUNT(*) FROM visits v WHERE cost > (SELECT AVG(w.cost) FROM visits w WHERE w.kind = v.kind)
SELECT COUNT(*) FROM visits WHERE kind IN (SELECT kind FROM visits GROUP BY kind HAVING COUNT(*) > 9)
SELECT COUNT(*) FROM visits WHERE cost >= ALL (SELECT AVG(cost) FROM visits GROUP BY kind HAVING COUNT(*) > 5)
SELECT kind, COUNT(*) FROM visits GROUP BY kind HAVING COUNT(*) >= ALL (SELECT COUNT(*) FROM visits GROUP BY kind)
SELECT COUNT(*) FROM (SELECT person, MIN(day) AS first FROM visits GROUP BY person) WHERE first < DATE '2020-01-01'
SELECT COUNT(DISTINCT person) FROM (SELECT person, day - LAG(day) OVER (PARTITION BY person ORDER BY day) AS gap FROM visits) WHERE gap <= 30
SELECT kind, COUNT(*) FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY person ORDER BY day) = 1
SELECT kind, COUNT(*) FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY person ORDER BY day) = 1) GROUP BY kind
SELECT kind, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC), COUNT(*) / SUM(COUNT(*)) OVER () FROM visits GROUP BY kind
SELECT month(day) AS m, COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY month(day)) FROM visits GROUP BY m
SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind QUALIFY ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC) <= 2
SELECT COUNT(*) FROM (SELECT person, day FROM visits UNION ALL SELECT person, born FROM people)
SELECT COUNT(*) FROM (SELECT person, kind FROM visits UNION SELECT person, sex FROM people)
SELECT COUNT(*) FROM (SELECT person, score FROM visits INTERSECT SELECT person, score FROM visits WHERE urgent)
SELECT COUNT(*) FROM (SELECT person, score FROM visits EXCEPT ALL SELECT person, score FROM visits WHERE urgent)
SELECT COUNT(*) FROM (SELECT DISTINCT ON (person) * FROM visits ORDER BY day)
SELECT COUNT(*) FROM visits v JOIN (VALUES (0, 'zero'), (5, 'five')) AS n(score, name) ON v.score = n.score
SELECT p.sex, COUNT(*) FROM people p, LATERAL (SELECT * FROM visits v WHERE v.person = p.person ORDER BY v.day LIMIT 2) l GROUP BY p.sex
PIVOT visits ON kind IN ('a', 'b') USING COUNT(*) GROUP BY urgent
SELECT nm, COUNT(*), SUM(val) FROM (SELECT score AS one, score + 1 AS two FROM visits) UNPIVOT (val FOR nm IN (one, two)) GROUP BY nm
WITH RECURSIVE n AS (SELECT 0 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT n.x, COUNT(v.visit) FROM n LEFT JOIN visits v ON v.score = n.x GROUP BY n.x
SELECT date_trunc('month', day) AS m, COUNT(*) FROM visits GROUP BY m
SELECT time_bucket(INTERVAL 1 WEEK, day) AS w, COUNT(*) FROM visits GROUP BY w
SELECT EXTRACT(year FROM age(DATE '2020-01-01', born)) // 10 AS decade, COUNT(*) FROM people GROUP BY decade
SELECT strftime(day, '%Y-%m') AS m, dayname(day) AS d, COUNT(*) FROM visits GROUP BY m, d
SELECT COUNT(*) FROM visits WHERE regexp_matches(note, '^[a-z]{1,3}$') OR note SIMILAR TO 'x.*'
SELECT UPPER(LEFT(kind, 1)) AS k, COUNT(*) FROM visits GROUP BY k
SELECT SUM(sqrt(ABS(score))), SUM(ln(ABS(score) + 1)), SUM(pow(score, 2)), SUM(ROUND(cost / 7, 1)) FROM visits
SELECT COUNT(*) FILTER (WHERE urgent), SUM(cost) FILTER (WHERE NOT urgent) FROM visits
SELECT COUNT(*) FROM visits WHERE seen - TIMESTAMP '2019-11-05' > INTERVAL '7 days' AND (seen - day) BETWEEN INTERVAL 1 HOUR AND INTERVAL 1 MONTH
SELECT SUM(EXTRACT(hour FROM seen - day)), AVG(EXTRACT(epoch FROM seen - TIMESTAMP '2019-12-05 10:00')), SUM(epoch(day - seen)) FROM visits
SELECT a.area, MAX(a.province), COUNT(p.person) FROM areas a LEFT JOIN people p USING (area) GROUP BY a.area
WITH t AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind) SELECT t.kind, t.n, COUNT(v.visit) FROM t LEFT JOIN visits v ON v.kind = t.kind AND v.urgent GROUP BY t.kind, t.n
WITH t AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind) SELECT kind, COUNT(v.visit), SUM(v.cost) FROM visits v RIGHT JOIN t USING (kind) GROUP BY kind
SELECT area, COUNT(p.person) FROM areas a FULL JOIN people p USING (area) GROUP BY area
SELECT kind, SUM(urgent), SUM(score > 0), COUNT_IF(urgent = 1), COUNT_IF(urgent IN (0, 1)) FROM visits GROUP BY kind
SELECT AVG(n) FROM (SELECT person, SUM(urgent) AS n FROM visits GROUP BY person)
SELECT QUANTILE_CONT(cost, [0.1, 0.9])[2] - (QUANTILE_CONT(cost, [0.1, 0.9]))[1] AS spread FROM visits
SELECT q[1], q[-1] FROM (SELECT QUANTILE_DISC(score, [0.25, 0.75]) AS q FROM visits)
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT kind, AVG(EXTRACT(epoch FROM wait)) AS seconds, COUNT(*) FILTER (WHERE wait < INTERVAL '3 hours') AS soon FROM d GROUP BY kind
SELECT COUNT(*) FROM (SELECT person, MAX(seen) - MIN(seen) AS stay FROM visits GROUP BY person) WHERE stay > INTERVAL '30 days'
SELECT COUNT(*) FROM (SELECT person, seen - LAG(seen) OVER (PARTITION BY person ORDER BY seen, visit) AS gap FROM visits) WHERE gap <= INTERVAL 30 DAY
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT COUNT(DISTINCT wait) FROM d WHERE wait IN (INTERVAL 1 HOUR, INTERVAL 2 HOUR) OR COALESCE(wait, wait) IS NULL
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT SUM(wait) FROM d
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT wait, COUNT(*) FROM d GROUP BY wait
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT MAX(wait), MODE(wait), MEDIAN(wait) FROM d
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT COUNT(*) FROM d WHERE wait + wait > INTERVAL 1 HOUR
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT COUNT(*) FROM d WHERE wait > 5
WITH d AS (SELECT person, visit, kind, seen - day AS wait FROM visits) SELECT COUNT(*) FROM d WHERE wait IN (SELECT wait FROM d)
